package dev.vivarium.protocol.run;

/**
 * A warning before the deadline, so that an agent can save its work: a signal to the run's command.
 *
 * @param before how long before the end of the wall clock
 * @param signal the signal
 */
public record Warning(TimeSpan before, WarningSignal signal) {
    /** The signal of a warning that names none. */
    public static final WarningSignal DEFAULT_SIGNAL = WarningSignal.SIGUSR1;
}
