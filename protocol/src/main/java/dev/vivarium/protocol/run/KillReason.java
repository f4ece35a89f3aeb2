package dev.vivarium.protocol.run;

/** Why Vivarium ended a run. */
public enum KillReason {
    /** The exit code is that of timeout(1). */
    WALL_CLOCK(124),
    IDLE(201),
    CPU_TIME(202),
    MEMORY(203),
    SHARED_MEMORY(215),
    PIDS(204),
    DISK(205),
    FILES(214),
    OUTPUT(206),
    EGRESS_REQUESTS(207),
    EGRESS_BYTES(213),
    EGRESS_SCAN(212),
    CANCELLED(208),
    NODE_LOST(209),
    DRAINED(210),
    OPERATOR(211);

    private final int exitCode;

    KillReason(int exitCode) {
        this.exitCode = exitCode;
    }

    /** The command line's exit code; above 200, where programs and shells have none. */
    public int exitCode() {
        return exitCode;
    }
}
