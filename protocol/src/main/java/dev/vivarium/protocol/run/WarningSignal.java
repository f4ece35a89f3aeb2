package dev.vivarium.protocol.run;

/**
 * The signals that may warn an agent: those that a program can handle, and that tell it nothing but what the run's owner
 * meant by them. The numbers are those of Linux on x86-64 and arm64. A process that does not handle {@link #SIGUSR1},
 * {@link #SIGUSR2}, {@link #SIGHUP}, {@link #SIGINT} or {@link #SIGTERM} is ended by it; one that does not handle {@link
 * #SIGURG} or {@link #SIGWINCH} does not notice.
 */
public enum WarningSignal {
    SIGHUP(1),
    SIGINT(2),
    SIGUSR1(10),
    SIGUSR2(12),
    SIGTERM(15),
    SIGURG(23),
    SIGWINCH(28);

    private final int number;

    WarningSignal(int number) {
        this.number = number;
    }

    /** The signal's number in a sandbox. */
    public int number() {
        return number;
    }
}
