package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.SecretName;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The only place where the body of a request to keep a secret for a tenant is parsed. Findings never quote a value. */
public final class SecretReader {
    /** The longest value, in bytes of UTF-8. */
    public static final int VALUE_BYTES_MAX = 64 << 10;

    private static final Set<String> FIELDS = Set.of("name", "value", "tenant");

    /** A value in which each character is escaped. */
    private static final int BODY_BYTES_MAX = 6 * VALUE_BYTES_MAX + 4096;

    private final StrictJson json = new StrictJson(BODY_BYTES_MAX);

    /**
     * A secret to be kept.
     *
     * @param tenant the tenant that it is for
     */
    public record Wish(Tenant tenant, SecretName name, Secret value) {
        /** The value, for the one who seals it. */
        public String cleartext() {
            return value.reveal();
        }
    }

    /** The result of reading a body. */
    public sealed interface Reading {
        /** A valid wish. */
        record Valid(Wish wish) implements Reading {}

        /**
         * JSON, but not a valid wish.
         *
         * @param errors all errors, at least one
         */
        record Invalid(List<FieldError> errors) implements Reading {}

        /** Not JSON. */
        record Malformed(String sentence) implements Reading {}
    }

    /**
     * Reads a body. Never throws, whatever its content.
     *
     * @param caller whose tenant the secret is for, unless the body names another one
     */
    public Reading read(byte[] body, Identity caller) {
        StrictJson.Parsed parsed = json.parseObject(body);
        if (parsed instanceof StrictJson.Parsed.Malformed malformed) {
            return new Reading.Malformed(malformed.sentence());
        }
        JsonNode root = ((StrictJson.Parsed.Tree) parsed).root();
        Findings findings = new Findings();
        Fields fields = Fields.of("", root, FIELDS, findings);
        Optional<SecretName> name = name(fields.requiredText("name"), findings);
        Optional<String> value = fields.requiredText("value");
        value.ifPresent(text -> checkValue(text, findings));
        Tenant tenant = tenant(fields, findings).orElse(caller.tenant());
        return findings.isEmpty()
                ? new Reading.Valid(new Wish(tenant, name.orElseThrow(), new Secret(value.orElseThrow())))
                : new Reading.Invalid(findings.all());
    }

    private static Optional<SecretName> name(Optional<String> text, Findings findings) {
        if (text.isPresent() && !SecretName.isValid(text.get())) {
            findings.add("name", SecretName.RULE);
        }
        return text.filter(SecretName::isValid).map(SecretName::new);
    }

    /** What an environment variable can hold, since that is where it goes. */
    private static void checkValue(String value, Findings findings) {
        int bytes = value.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > VALUE_BYTES_MAX) {
            findings.add("value", "must be 1 to " + VALUE_BYTES_MAX + " bytes, and is " + bytes);
        }
        if (value.indexOf('\0') >= 0) {
            findings.add("value", "must not contain a NUL");
        }
    }

    private static Optional<Tenant> tenant(Fields fields, Findings findings) {
        Optional<String> name = fields.text("tenant");
        if (name.isPresent() && !Tenant.isValid(name.get())) {
            findings.add("tenant", "must be 1 to 255 characters, none of them a control character");
        }
        return name.filter(Tenant::isValid).map(Tenant::new);
    }
}
