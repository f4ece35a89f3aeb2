package dev.vivarium.protocol.run;

/** A run's status, as users see it. */
public enum RunStatus {
    SUBMITTED(Phase.LIVE),
    QUEUED(Phase.LIVE),
    STARTING(Phase.LIVE),
    RUNNING(Phase.LIVE),
    SUCCEEDED(Phase.TERMINAL),
    FAILED(Phase.TERMINAL),
    KILLED(Phase.TERMINAL),
    CANCELLED(Phase.TERMINAL),
    LOST(Phase.TERMINAL);

    private enum Phase {
        LIVE,
        TERMINAL
    }

    private final Phase phase;

    RunStatus(Phase phase) {
        this.phase = phase;
    }

    /** Whether the status is final. */
    public boolean isTerminal() {
        return phase == Phase.TERMINAL;
    }
}
