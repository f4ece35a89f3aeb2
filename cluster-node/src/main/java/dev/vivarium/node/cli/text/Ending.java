package dev.vivarium.node.cli.text;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import java.time.Duration;
import java.util.Optional;

/** How a run ended, in words. */
public final class Ending {
    private Ending() {}

    /** The sentence about an end that an exit code alone does not tell; empty for an agent that ended by itself. */
    public static Optional<String> sentence(RunView run) {
        if (run.failure().isPresent()) {
            return Optional.of("run " + run.id() + " did not start: "
                    + run.failure().get().kind() + ": "
                    + Printable.of(run.failure().get().message()));
        }
        return run.reason().map(reason -> "run " + run.id() + " " + verb(run, reason) + measured(run));
    }

    /** What ended the run and by how much, for a column of a table; empty for one that lives. */
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

    /** The value against its limit; for the wall clock alone the value is also how long it took. */
    private static String measured(RunView run) {
        Optional<Measurement> measurement = run.measurement();
        if (measurement.isEmpty()) {
            return run.usage()
                    .map(usage -> " after " + Amounts.time(Duration.ofMillis(usage.wallMillis())))
                    .orElse("");
        }
        String joint = run.reason().filter(KillReason.WALL_CLOCK::equals).isPresent() ? " after " : " at ";
        return joint + Amounts.measurement(measurement.get());
    }
}
