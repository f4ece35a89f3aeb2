package dev.vivarium.terminal;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Measurement;
import java.util.Optional;

/** How a run ended, as text. */
public final class Ending {
    private static final String WHAT_IDLE_LOOKS_AT =
            " without output, input, traffic, a change of files, or measurable use of a processor";

    private Ending() {}

    /** The sentence about an end that its exit code alone does not explain; empty for an agent that ended by itself. */
    public static Optional<String> sentence(RunView run) {
        if (run.failure().isPresent()) {
            return Optional.of("run " + run.id() + " did not start: "
                    + run.failure().get().kind() + ": "
                    + Printable.of(run.failure().get().message()));
        }
        return run.reason().map(reason -> "run " + run.id() + " " + verb(run, reason) + measured(run) + grace(run));
    }

    /** The cause of the end and its measurement, for a column of a table; empty for a live run. */
    public static String cause(RunView run) {
        if (run.failure().isPresent()) {
            return run.failure().get().kind().toString();
        }
        if (run.reason().isPresent()) {
            return run.reason().get()
                    + run.measurement()
                            .map(measurement -> " " + Amounts.measurement(measurement))
                            .orElse("");
        }
        return run.exitCode().map(code -> "exit " + code).orElse("");
    }

    private static String verb(RunView run, KillReason reason) {
        return switch (run.status()) {
            case CANCELLED -> "was cancelled";
            case LOST -> "was lost: " + reason;
            case SUBMITTED, QUEUED, STARTING, RUNNING, SUCCEEDED, FAILED, KILLED -> "was killed: " + reason;
        };
    }

    /** How long it ran after SIGTERM, if Vivarium ended it. */
    private static String grace(RunView run) {
        return run.usage()
                .filter(usage -> usage.get(Limit.GRACE) > 0)
                .map(usage -> ", " + Amounts.used(usage, Limit.GRACE) + " from SIGTERM to its end")
                .orElse("");
    }

    /** The value and its limit; for the wall clock the value is also the duration. */
    private static String measured(RunView run) {
        Optional<Measurement> measurement = run.measurement();
        if (measurement.isEmpty()) {
            return run.usage()
                    .map(usage -> " after " + Amounts.used(usage, Limit.WALL_CLOCK))
                    .orElse("");
        }
        String joint = run.reason().filter(KillReason.WALL_CLOCK::equals).isPresent() ? " after " : " at ";
        return joint
                + Amounts.measurement(measurement.get())
                + run.reason()
                        .filter(KillReason.IDLE::equals)
                        .map(idle -> WHAT_IDLE_LOOKS_AT)
                        .orElse("");
    }
}
