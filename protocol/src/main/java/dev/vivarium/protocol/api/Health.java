package dev.vivarium.protocol.api;

import java.util.List;

/**
 * Whether a node can do its work.
 *
 * @param status the worst status of the checks
 * @param checks what was checked
 */
public record Health(Status status, List<Check> checks) {
    public Health {
        checks = List.copyOf(checks);
    }

    /** Combines the checks into the node's health. */
    public static Health of(List<Check> checks) {
        boolean up = checks.stream().allMatch(check -> check.status() == Status.UP);
        return new Health(up ? Status.UP : Status.DOWN, checks);
    }

    /** Whether something works. */
    public enum Status {
        UP,
        DOWN
    }

    /**
     * One part of the node.
     *
     * @param name the part, such as {@code store} or {@code engine}
     * @param status whether it works
     * @param detail one sentence for operators
     */
    public record Check(String name, Status status, String detail) {}
}
