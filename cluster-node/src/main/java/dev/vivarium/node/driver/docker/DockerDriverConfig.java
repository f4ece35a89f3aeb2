package dev.vivarium.node.driver.docker;

import com.typesafe.config.Config;
import dev.vivarium.node.driver.guest.ChannelLimits;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Isolation;
import java.net.URI;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How the driver connects to its engine, and its limits. Keys, units and defaults are in {@code docker-driver.conf}.
 *
 * @param engine the engine's address: {@code unix:///path} or {@code tcp://host:port}
 * @param installation the installation's id; shared by its nodes on one engine
 * @param node this node's name within the installation
 * @param pullPolicy whether a missing image may be pulled
 * @param pullTimeout how long pulling an image may take
 * @param connectTimeout how long connecting to the engine may take
 * @param responseTimeout how long a call to the engine may take, except pulling images
 * @param guestStartTimeout how long a started sandbox's guest may take until it greets
 * @param concurrentCreatesMax concurrent creations of sandboxes; more wait
 * @param concurrentCallsMax concurrent other calls to the engine; more wait
 * @param waitingCallsMax calls that may wait; further ones fail
 * @param channelQueueBytesMax bytes that may wait to be sent to one sandbox
 * @param unconfirmedFramesMax unconfirmed frames of one sandbox
 * @param disk the limits of one sandbox on the disk of the engine's images
 * @param diskMax the largest disk of a sandbox, which is in memory, in bytes
 * @param runtimes the engine's runtime for an isolation class; the engine's default for a class without one
 */
public record DockerDriverConfig(
        URI engine,
        String installation,
        String node,
        PullPolicy pullPolicy,
        Duration pullTimeout,
        Duration connectTimeout,
        Duration responseTimeout,
        Duration guestStartTimeout,
        int concurrentCreatesMax,
        int concurrentCallsMax,
        int waitingCallsMax,
        int channelQueueBytesMax,
        int unconfirmedFramesMax,
        DiskShare disk,
        long diskMax,
        Map<Isolation, String> runtimes) {
    private static final URI LOCAL_ENGINE = URI.create("unix:///var/run/docker.sock");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}");

    /** Whether a missing image may be pulled from its registry. */
    public enum PullPolicy {
        /** Only images that the engine already has. */
        NEVER,
        /** Pulled when the engine does not have it. */
        MISSING
    }

    public DockerDriverConfig {
        requireName("installation", installation);
        requireName("node", node);
        requirePositive("pull-timeout", pullTimeout);
        requirePositive("connect-timeout", connectTimeout);
        requirePositive("response-timeout", responseTimeout);
        requirePositive("guest-start-timeout", guestStartTimeout);
        requirePositive("concurrent-creates-max", concurrentCreatesMax);
        requirePositive("concurrent-calls-max", concurrentCallsMax);
        requirePositive("waiting-calls-max", waitingCallsMax);
        requirePositive("channel-queue-bytes-max", channelQueueBytesMax);
        requirePositive("unconfirmed-frames-max", unconfirmedFramesMax);
        runtimes = Map.copyOf(runtimes);
    }

    /**
     * Reads the keys of {@code docker-driver.conf}.
     *
     * @param docker the object with those keys
     * @throws IllegalArgumentException or a ConfigException, naming the invalid key
     */
    public static DockerDriverConfig from(Config docker, String installation, String node) {
        Map<Isolation, String> runtimes = new EnumMap<>(Isolation.class);
        Config named = docker.getConfig("runtimes");
        for (Isolation isolation : Isolation.values()) {
            String key = isolation.name().toLowerCase(Locale.ROOT);
            if (named.hasPath(key) && !named.getString(key).isEmpty()) {
                runtimes.put(isolation, named.getString(key));
            }
        }
        return new DockerDriverConfig(
                engineUri(docker.getString("engine"), Optional.ofNullable(System.getenv("DOCKER_HOST"))),
                installation,
                node,
                docker.getEnum(PullPolicy.class, "pull"),
                docker.getDuration("pull-timeout"),
                docker.getDuration("connect-timeout"),
                docker.getDuration("response-timeout"),
                docker.getDuration("guest-start-timeout"),
                docker.getInt("concurrent-creates-max"),
                docker.getInt("concurrent-calls-max"),
                docker.getInt("waiting-calls-max"),
                Math.toIntExact(docker.getBytes("channel-queue-bytes-max")),
                docker.getInt("unconfirmed-frames-max"),
                DiskShare.from(docker.getConfig("disk")),
                ByteSize.parse(docker.getString("disk-size-max")).bytes(),
                runtimes);
    }

    /** The limits of each sandbox's channel. */
    public ChannelLimits channel() {
        return new ChannelLimits(channelQueueBytesMax, unconfirmedFramesMax);
    }

    /** This configuration with another engine. */
    public DockerDriverConfig withEngine(URI other) {
        return new DockerDriverConfig(
                other,
                installation,
                node,
                pullPolicy,
                pullTimeout,
                connectTimeout,
                responseTimeout,
                guestStartTimeout,
                concurrentCreatesMax,
                concurrentCallsMax,
                waitingCallsMax,
                channelQueueBytesMax,
                unconfirmedFramesMax,
                disk,
                diskMax,
                runtimes);
    }

    /** This configuration with another pull policy. */
    public DockerDriverConfig withPullPolicy(PullPolicy other) {
        return new DockerDriverConfig(
                engine,
                installation,
                node,
                other,
                pullTimeout,
                connectTimeout,
                responseTimeout,
                guestStartTimeout,
                concurrentCreatesMax,
                concurrentCallsMax,
                waitingCallsMax,
                channelQueueBytesMax,
                unconfirmedFramesMax,
                disk,
                diskMax,
                runtimes);
    }

    /** This configuration with another timeout for calls. */
    public DockerDriverConfig withResponseTimeout(Duration other) {
        return new DockerDriverConfig(
                engine,
                installation,
                node,
                pullPolicy,
                pullTimeout,
                connectTimeout,
                other,
                guestStartTimeout,
                concurrentCreatesMax,
                concurrentCallsMax,
                waitingCallsMax,
                channelQueueBytesMax,
                unconfirmedFramesMax,
                disk,
                diskMax,
                runtimes);
    }

    static URI engineUri(String configured, Optional<String> dockerHost) {
        if (!configured.isEmpty()) {
            return URI.create(configured);
        }
        return dockerHost.filter(host -> !host.isEmpty()).map(URI::create).orElse(LOCAL_ENGINE);
    }

    private static void requireName(String key, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    key + " must be 1 to 128 letters, digits, dots, dashes, colons or underscores");
        }
    }

    private static void requirePositive(String key, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(key + " must be longer than zero");
        }
    }

    private static void requirePositive(String key, int number) {
        if (number <= 0) {
            throw new IllegalArgumentException(key + " must be above zero");
        }
    }
}
