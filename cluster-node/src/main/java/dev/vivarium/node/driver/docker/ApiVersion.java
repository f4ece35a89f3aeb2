package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of the engine's API.
 *
 * @param major the number before the dot
 * @param minor the number after it
 */
record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {
    /** Engine 20.10: the first with one-shot statistics and private cgroup namespaces. */
    static final ApiVersion OLDEST = new ApiVersion(1, 41);
    /** Engine 25, and the oldest version that the newest engines still accept. */
    static final ApiVersion NEWEST = new ApiVersion(1, 44);

    private static final Pattern SHAPE = Pattern.compile("(\\d{1,3})\\.(\\d{1,4})");

    /**
     * Chooses the API version to use with an engine.
     *
     * @param newest the newest version that the engine supports
     * @param oldest the oldest version that the engine supports; empty when unknown
     * @throws DriverException REFUSED when there is no common one
     */
    static ApiVersion negotiate(String newest, String oldest) {
        ApiVersion engineNewest = parse(newest);
        ApiVersion engineOldest = oldest.isEmpty() ? new ApiVersion(1, 0) : parse(oldest);
        if (engineNewest.compareTo(OLDEST) < 0) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "The container engine is too old: it speaks API " + newest + " and Vivarium needs " + OLDEST
                            + " (Docker 20.10) or newer. Upgrade the engine.");
        }
        if (engineOldest.compareTo(NEWEST) > 0) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "The container engine is too new: it refuses API versions below " + oldest
                            + " and this Vivarium speaks " + NEWEST + " at most. Upgrade Vivarium.");
        }
        return engineNewest.compareTo(NEWEST) < 0 ? engineNewest : NEWEST;
    }

    private static ApiVersion parse(String text) {
        Matcher matcher = SHAPE.matcher(text);
        if (!matcher.matches()) {
            throw new DriverException(
                    DriverException.Kind.REFUSED,
                    "What answers at the engine's address is not a container engine: it reports no API version.");
        }
        return new ApiVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }

    @Override
    public int compareTo(ApiVersion other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
