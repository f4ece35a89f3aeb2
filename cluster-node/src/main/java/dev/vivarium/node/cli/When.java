package dev.vivarium.node.cli;

import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/** What options such as {@code --since} take: an instant, or a time before now. */
final class When {
    private When() {}

    /**
     * The instant that is meant.
     *
     * @param option the option's name, for the error
     * @throws UserError with a sentence, if it is neither
     */
    static Instant of(String option, String when, Instant now) {
        try {
            return Instant.parse(when);
        } catch (DateTimeParseException noInstant) {
            try {
                return now.minus(TimeSpan.parse(when).duration());
            } catch (IllegalArgumentException noTime) {
                throw new UserError(
                        ExitCode.USAGE,
                        option + " " + when
                                + ": it must be an instant such as 2026-01-31T12:00:00Z, or a time such as 2h.");
            }
        }
    }
}
