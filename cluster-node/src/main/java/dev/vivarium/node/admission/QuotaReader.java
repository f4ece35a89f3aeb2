package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.api.Problem.FieldError;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The only place where the body of a request to set quotas is parsed: an amount by the name of each. */
public final class QuotaReader {
    private static final int BODY_BYTES_MAX = 16 << 10;
    private static final Set<String> FIELDS =
            Arrays.stream(Quota.values()).map(Quota::toString).collect(Collectors.toUnmodifiableSet());

    /** The word for what the configuration says. */
    private static final String DEFAULT = "default";

    private final StrictJson json = new StrictJson(BODY_BYTES_MAX);

    /** The result of reading a body. */
    public sealed interface Reading {
        /**
         * Valid.
         *
         * @param amounts those that are named, at least one; empty for what the configuration says
         */
        record Valid(Map<Quota, Optional<Long>> amounts) implements Reading {}

        /**
         * JSON, but no quotas.
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
        JsonNode root = ((StrictJson.Parsed.Tree) parsed).root();
        Findings findings = new Findings();
        Fields fields = Fields.of("", root, FIELDS, findings);
        Map<Quota, Optional<Long>> amounts = new EnumMap<>(Quota.class);
        for (Quota quota : Quota.values()) {
            fields.textOrNumber(quota.toString()).ifPresent(written -> add(quota, written, amounts, findings));
        }
        if (amounts.isEmpty() && findings.isEmpty()) {
            findings.add(
                    "",
                    "must name at least one of "
                            + String.join(", ", FIELDS.stream().sorted().toList()));
        }
        return findings.isEmpty() ? new Reading.Valid(amounts) : new Reading.Invalid(findings.all());
    }

    private static void add(Quota quota, String written, Map<Quota, Optional<Long>> amounts, Findings findings) {
        if (written.equals(DEFAULT)) {
            amounts.put(quota, Optional.empty());
            return;
        }
        try {
            amounts.put(quota, Optional.of(quota.amount(written)));
        } catch (IllegalArgumentException malformed) {
            findings.add(quota.toString(), malformed.getMessage() + ", or " + DEFAULT);
        }
    }
}
