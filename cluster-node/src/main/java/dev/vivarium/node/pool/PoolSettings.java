package dev.vivarium.node.pool;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.run.ImageRef;
import dev.vivarium.protocol.run.Isolation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The block {@code vivarium.pool}.
 *
 * @param ceiling how many sandboxes wait at most, of all kinds together; 0 switches the pool off
 * @param floors how many wait even if no run comes
 * @param createsMax how many are created at once
 * @param ageMax how long one waits before a fresh one replaces it
 * @param halfLife after how long without runs half of a demand is forgotten
 * @param settle how long after a run has taken one the next are not created, while at least half of them still wait
 * @param interval how often demand and ages are looked at
 * @param retryMin how long a kind that could not be created waits for its next try, doubled with each failure
 * @param retryMax the longest such wait
 */
public record PoolSettings(
        int ceiling,
        List<Floor> floors,
        int createsMax,
        Duration ageMax,
        Duration halfLife,
        Duration settle,
        Duration interval,
        Duration retryMin,
        Duration retryMax) {

    private static final String PUBLIC = "public";

    /**
     * A number of sandboxes that always wait.
     *
     * @param image the image's name, as submissions write it
     * @param isolation their class
     * @param link whether they wait for runs with the network mode public
     * @param waiting how many
     */
    public record Floor(String image, Isolation isolation, PoolKind.Link link, int waiting) {}

    public PoolSettings {
        floors = List.copyOf(floors);
    }

    /**
     * Reads the block.
     *
     * @throws ConfigException naming the invalid key
     */
    public static PoolSettings from(Config pool) {
        List<Floor> floors = new ArrayList<>();
        for (Config floor : pool.getConfigList("floors")) {
            floors.add(floor(floor));
        }
        int ceiling = number(pool, "ceiling", 0);
        int fixed = floors.stream().mapToInt(Floor::waiting).sum();
        if (fixed > ceiling) {
            throw new ConfigException.BadValue(
                    pool.getValue("ceiling").origin(), "ceiling", "is below the sum of the floors, which is " + fixed);
        }
        return new PoolSettings(
                ceiling,
                floors,
                number(pool, "creates-max", 1),
                time(pool, "age-max"),
                time(pool, "half-life"),
                time(pool, "settle"),
                time(pool, "interval"),
                time(pool, "retry-min"),
                time(pool, "retry-max"));
    }

    private static Floor floor(Config floor) {
        String image = floor.getString("image");
        try {
            return new Floor(
                    new ImageRef(image).value(),
                    Isolation.valueOf(floor.getString("isolation").toUpperCase(Locale.ROOT)),
                    link(floor),
                    number(floor, "waiting", 1));
        } catch (IllegalArgumentException none) {
            throw new ConfigException.BadValue(
                    floor.origin(), "floors", "names an image or a class that is none: " + none.getMessage(), none);
        }
    }

    private static PoolKind.Link link(Config floor) {
        String network = floor.hasPath("network") ? floor.getString("network") : PUBLIC;
        if (!network.equals(PUBLIC) && !network.equals("none")) {
            throw new ConfigException.BadValue(
                    floor.origin(), "floors", "has a network that is neither public nor none");
        }
        return network.equals(PUBLIC) ? PoolKind.Link.READY : PoolKind.Link.NONE;
    }

    private static int number(Config config, String key, int min) {
        int number = config.getInt(key);
        if (number < min) {
            throw new ConfigException.BadValue(config.getValue(key).origin(), key, "must be " + min + " or more");
        }
        return number;
    }

    private static Duration time(Config config, String key) {
        Duration time = config.getDuration(key);
        if (time.isZero() || time.isNegative()) {
            throw new ConfigException.BadValue(config.getValue(key).origin(), key, "must be longer than zero");
        }
        return time;
    }
}
