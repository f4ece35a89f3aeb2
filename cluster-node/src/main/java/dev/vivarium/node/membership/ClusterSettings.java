package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.sandbox.NodeLease;
import dev.vivarium.node.sandbox.TakeoverWait;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;

/**
 * The block {@code vivarium.cluster} of the configuration; reference.conf says what each key means.
 *
 * @param formation how the node finds others
 * @param name the cluster's name
 * @param nodeName this node's unique name
 * @param seeds the addresses of nodes to join through
 * @param joinTimeout how long joining may take
 * @param engine whether other nodes use this node's container engine
 * @param leaseLength how long a node may keep its runs without contact to the cluster
 * @param crashProbe how often peers' ports are probed; zero for never
 * @param endWait how long a downed node waits for its actors to stop
 */
public record ClusterSettings(
        Formation formation,
        String name,
        String nodeName,
        List<Address> seeds,
        Duration joinTimeout,
        Engine engine,
        Duration leaseLength,
        Duration crashProbe,
        Duration endWait) {
    public static final String SYSTEM = "vivarium";

    private static final Pattern SEED = Pattern.compile("[A-Za-z0-9._-]+:[0-9]{1,5}");
    /**
     * Added to pause and stable-after: heartbeats delayed by a busy node, the resolver's own interval, and the time
     * until all nodes know its decision and the next round of lease requests is answered. Measured: 2 to 3 s.
     */
    private static final Duration DECISION_MAX = Duration.ofSeconds(5);

    /** How a node finds others. */
    public enum Formation {
        ALONE,
        SEEDS,
        BOOTSTRAP
    }

    /** Whether nodes share an engine. */
    public enum Engine {
        OWN,
        SHARED
    }

    static ClusterSettings from(Config cluster) throws NodeStartException {
        Formation formation = word(Formation.class, cluster, "formation");
        List<String> seeds = cluster.getStringList("seeds");
        if (formation == Formation.SEEDS && seeds.isEmpty()) {
            throw new NodeStartException("vivarium.cluster.seeds is empty: formation = seeds needs the host:port of at"
                    + " least one node, the same list in the same order on every node.");
        }
        Duration lease = cluster.getDuration("fencing.lease");
        requireLongerThanAFailover(lease, cluster);
        return new ClusterSettings(
                formation,
                named(cluster, "name"),
                named(cluster, "node-name"),
                addresses(seeds),
                cluster.getDuration("join-timeout"),
                word(Engine.class, cluster, "fencing.engine"),
                lease,
                notNegative(cluster, "detector.crash-probe"),
                positive(cluster, "fencing.end-wait"));
    }

    /** Neither of two equal halves is granted a lease until the resolver has decided for one of them. */
    private static void requireLongerThanAFailover(Duration lease, Config cluster) throws NodeStartException {
        Duration pause = positive(cluster, "detector.pause");
        Duration stable = positive(cluster, "split-brain.stable-after");
        if (positive(cluster, "detector.interval").compareTo(pause) >= 0) {
            throw new NodeStartException(
                    "vivarium.cluster.detector.interval must be shorter than detector.pause, the time"
                            + " for which heartbeats may be missing.");
        }
        Duration least = pause.plus(stable).plus(DECISION_MAX);
        if (lease.compareTo(least) < 0) {
            throw new NodeStartException("vivarium.cluster.fencing.lease is " + lease.toMillis()
                    + "ms and must be at least detector.pause and split-brain.stable-after together and "
                    + DECISION_MAX.toSeconds() + "s more (" + least.toMillis()
                    + "ms): half of a cluster that lost contact with the other half would lose its sandboxes, too.");
        }
    }

    private static Duration positive(Config cluster, String key) throws NodeStartException {
        Duration value = cluster.getDuration(key);
        if (value.isNegative() || value.isZero()) {
            throw new NodeStartException("vivarium.cluster." + key + " must be a time above 0, such as 3s.");
        }
        return value;
    }

    private static Duration notNegative(Config cluster, String key) throws NodeStartException {
        Duration value = cluster.getDuration(key);
        if (value.isNegative()) {
            throw new NodeStartException("vivarium.cluster." + key + " must be a time such as 500ms, or 0 for never.");
        }
        return value;
    }

    public boolean isAlone() {
        return formation == Formation.ALONE;
    }

    /** The member role that carries the node's name. */
    public String nameRole() {
        return NAME_ROLE + nodeName;
    }

    public static final String NAME_ROLE = "node:";

    public Fencing newFencing(NodeClock clock) {
        if (isAlone()) {
            return new Fencing(NodeLease.endless(), TakeoverWait.none(), clock);
        }
        // With a shared engine, the engine's own answer is safer than any wait.
        TakeoverWait wait = engine == Engine.SHARED ? TakeoverWait.none() : TakeoverWait.of(leaseLength, clock);
        return new Fencing(NodeLease.of(leaseLength, clock), wait, clock);
    }

    /**
     * Whether a peer may be downed as soon as its machine reports that its process is gone. Without a shared engine
     * that gains nothing: its runs cannot be taken over before its lease has ended.
     */
    public boolean watchesForCrashes() {
        return !isAlone() && engine == Engine.SHARED && !crashProbe.isZero();
    }

    private static List<Address> addresses(List<String> seeds) throws NodeStartException {
        for (String seed : seeds) {
            if (!SEED.matcher(seed).matches()) {
                throw new NodeStartException(
                        "vivarium.cluster.seeds: \"" + seed + "\" is not a host:port such as 10.0.0.5:25520.");
            }
        }
        return seeds.stream()
                .map(seed -> AddressFromURIString.parse("pekko://" + SYSTEM + "@" + seed))
                .toList();
    }

    private static String named(Config cluster, String key) throws NodeStartException {
        String value = cluster.getString(key);
        if (!NAME.matcher(value).matches()) {
            throw new NodeStartException("vivarium.cluster." + key + " is \"" + value
                    + "\" and must be 1 to 63 letters, digits, dots, underscores or dashes.");
        }
        return value;
    }

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    private static <E extends Enum<E>> E word(Class<E> words, Config cluster, String key) throws NodeStartException {
        String given = cluster.getString(key);
        for (E word : words.getEnumConstants()) {
            if (word.name().toLowerCase(Locale.ROOT).equals(given)) {
                return word;
            }
        }
        throw new NodeStartException("vivarium.cluster." + key + " is \"" + given + "\" and must be one of "
                + Arrays.stream(words.getEnumConstants())
                        .map(word -> word.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(", "))
                + ".");
    }

    /** As {@link #from}, with the configuration library's errors as sentences. */
    public static ClusterSettings of(Config config) throws NodeStartException {
        try {
            return from(config.getConfig("vivarium.cluster"));
        } catch (ConfigException wrong) {
            throw new NodeStartException(
                    "The configuration of the cluster cannot be read: " + wrong.getMessage(), wrong);
        }
    }
}
