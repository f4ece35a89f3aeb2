package dev.vivarium.node.driver.oci;

import com.typesafe.config.Config;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Isolation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The driver's folders and runtimes. Keys, units and defaults are in {@code oci-driver.conf}.
 *
 * @param engine the engine that images come from, and limits shared with its driver
 * @param folder the folder of unpacked images
 * @param state the folder of sandboxes' state
 * @param runtimes the paths of isolation classes' runtimes; for others the runtime is searched
 * @param startTimeout how long a runtime may take to print its version, and the launcher to start
 * @param unpackTimeout how long unpacking an image may take
 * @param imageKeep how long an unused image is kept
 * @param imageLimits what one image may take of the disk
 * @param diskMemoryMax the largest disk of a sandbox that is in memory, in bytes
 * @param diskTimeout how long making a larger one may take
 */
public record OciDriverConfig(
        DockerDriverConfig engine,
        Path folder,
        Path state,
        Map<Isolation, String> runtimes,
        Duration startTimeout,
        Duration unpackTimeout,
        Duration imageKeep,
        DiskBudget.Limits imageLimits,
        long diskMemoryMax,
        Duration diskTimeout) {
    /** Characters that are safe in mount options and in the launcher's requests. */
    private static final Pattern PLAIN_PATH = Pattern.compile("(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+");

    /** Each sweep of a node records which images it uses; other nodes must not be faster. */
    private static final Duration KEEP_MIN = Duration.ofMinutes(10);

    private static final int PATH_LENGTH_MAX = 200;
    /** The prefix of the channels' socket path, which is limited to 107 characters. */
    private static final int STATE_LENGTH_MAX = 50;

    public OciDriverConfig {
        requirePlain("folder", folder, PATH_LENGTH_MAX);
        requirePlain("state", state, STATE_LENGTH_MAX);
        requirePositive("start-timeout", startTimeout);
        requirePositive("unpack-timeout", unpackTimeout);
        requirePositive("disk.make-timeout", diskTimeout);
        if (imageKeep.compareTo(KEEP_MIN) < 0) {
            throw new IllegalArgumentException("vivarium.driver.oci.image-keep must be at least " + KEEP_MIN.toMinutes()
                    + " minutes: other nodes of this machine may use the images");
        }
        runtimes = Map.copyOf(runtimes);
    }

    /**
     * Reads the keys of {@code oci-driver.conf}.
     *
     * @param oci the object with those keys
     * @throws IllegalArgumentException or a ConfigException, naming the invalid key
     */
    public static OciDriverConfig from(Config oci, DockerDriverConfig engine) {
        Map<Isolation, String> runtimes = new EnumMap<>(Isolation.class);
        for (Isolation isolation : new Isolation[] {Isolation.CONTAINER, Isolation.GVISOR}) {
            String named = oci.getString("runtimes." + isolation.name().toLowerCase(Locale.ROOT));
            if (!named.isEmpty()) {
                requirePlain("runtimes", Path.of(named), PATH_LENGTH_MAX);
                runtimes.put(isolation, named);
            }
        }
        return new OciDriverConfig(
                engine,
                Path.of(oci.getString("folder")),
                Path.of(oci.getString("state")),
                runtimes,
                oci.getDuration("start-timeout"),
                oci.getDuration("unpack-timeout"),
                oci.getDuration("image-keep"),
                new DiskBudget.Limits(
                        oci.getBytes("image-bytes-max"), oci.getLong("image-entries-max"), oci.getBytes("free-min")),
                ByteSize.parse(oci.getString("disk.memory-max")).bytes(),
                oci.getDuration("disk.make-timeout"));
    }

    private static void requirePlain(String key, Path path, int lengthMax) {
        if (!PLAIN_PATH.matcher(path.toString()).matches() || path.toString().length() > lengthMax) {
            throw new IllegalArgumentException("vivarium.driver.oci." + key + " is " + path
                    + " and must be an absolute path of letters, digits, dots, dashes and underscores, with "
                    + lengthMax + " characters at most");
        }
    }

    private static void requirePositive(String key, Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            throw new IllegalArgumentException("vivarium.driver.oci." + key + " must be longer than zero");
        }
    }
}
