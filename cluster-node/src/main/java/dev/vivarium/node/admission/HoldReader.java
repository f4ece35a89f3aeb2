package dev.vivarium.node.admission;

import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.Problem.FieldError;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The only place where the body of a request to put a legal hold is parsed. */
public final class HoldReader {
    private static final Set<String> FIELDS = Set.of("reason");
    private static final String RULE = "must be 1 to " + LegalHold.REASON_MAX + " characters in one line";
    private static final Pattern REASON = Pattern.compile("[^\\p{Cntrl}\\p{Cc}\\x{2028}\\x{2029}]+");
    private static final int BODY_BYTES_MAX = 16 << 10;

    private final StrictJson json = new StrictJson(BODY_BYTES_MAX);

    /** The result of reading a body. */
    public sealed interface Reading {
        /**
         * A valid body.
         *
         * @param reason why, if it says so
         */
        record Valid(Optional<String> reason) implements Reading {}

        /**
         * JSON, but not as it should be.
         *
         * @param errors all errors, at least one
         */
        record Invalid(List<FieldError> errors) implements Reading {}

        /** Not JSON. */
        record Malformed(String sentence) implements Reading {}
    }

    /** Reads a body. Never throws, whatever its content. */
    public Reading read(byte[] body) {
        StrictJson.Parsed parsed = json.parseObject(body);
        if (parsed instanceof StrictJson.Parsed.Malformed malformed) {
            return new Reading.Malformed(malformed.sentence());
        }
        Findings findings = new Findings();
        Fields fields = Fields.of("", ((StrictJson.Parsed.Tree) parsed).root(), FIELDS, findings);
        Optional<String> reason = fields.text("reason");
        if (reason.isPresent() && !isReason(reason.get())) {
            findings.add("reason", RULE);
        }
        return findings.isEmpty() ? new Reading.Valid(reason) : new Reading.Invalid(findings.all());
    }

    private static boolean isReason(String text) {
        return text.codePointCount(0, text.length()) <= LegalHold.REASON_MAX
                && REASON.matcher(text).matches();
    }
}
