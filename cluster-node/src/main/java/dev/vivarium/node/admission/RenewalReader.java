package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.TimeSpan;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The only place where the body of a request to move a deadline is parsed: hostile bytes become a {@link Renewal} within
 * the operator's ceiling, or a list of everything wrong with them.
 */
public final class RenewalReader {
    private static final String WALL_CLOCK = "wallClock";

    private final LimitPolicy limits;
    private final StrictJson json;

    public RenewalReader(LimitPolicy limits, AdmissionSettings settings) {
        this.limits = limits;
        this.json = new StrictJson(settings.maxBodyBytes());
    }

    /** The result of reading a body. */
    public sealed interface Reading {
        /** A valid request. */
        record Valid(Renewal renewal) implements Reading {}

        /**
         * JSON, but not a valid request.
         *
         * @param errors all errors, at least one
         */
        record Invalid(List<FieldError> errors) implements Reading {}

        /**
         * Not JSON.
         *
         * @param sentence the reason, for the user
         */
        record Malformed(String sentence) implements Reading {}
    }

    /** Reads a body. Never throws, whatever its content. */
    public Reading read(byte[] body) {
        StrictJson.Parsed parsed = json.parseObject(body);
        if (parsed instanceof StrictJson.Parsed.Malformed malformed) {
            return new Reading.Malformed(malformed.sentence());
        }
        JsonNode root = ((StrictJson.Parsed.Tree) parsed).root();
        Findings findings = new Findings();
        Optional<TimeSpan> wallClock = wallClock(Fields.of("", root, Set.of(WALL_CLOCK), findings), findings);
        return findings.isEmpty() && wallClock.isPresent()
                ? new Reading.Valid(new Renewal(wallClock.get(), limits.cpuTimeMax()))
                : new Reading.Invalid(findings.all());
    }

    private Optional<TimeSpan> wallClock(Fields fields, Findings findings) {
        if (!fields.has(WALL_CLOCK)) {
            findings.add(WALL_CLOCK, "is required: the time from the start of the attempt's process, such as 10m");
        }
        Optional<TimeSpan> wallClock = fields.time(WALL_CLOCK);
        wallClock.flatMap(limits::objection).ifPresent(objection -> findings.add(WALL_CLOCK, objection));
        return wallClock;
    }
}
