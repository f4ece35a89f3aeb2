package dev.vivarium.protocol.run;

/** Why a run was ended from outside. */
public enum KillReason {
    WALL_CLOCK,
    IDLE,
    CPU_TIME,
    MEMORY,
    PIDS,
    DISK,
    OUTPUT,
    EGRESS_REQUESTS,
    EGRESS_BYTES,
    EGRESS_SCAN,
    CANCELLED,
    NODE_LOST,
    DRAINED,
    OPERATOR
}
