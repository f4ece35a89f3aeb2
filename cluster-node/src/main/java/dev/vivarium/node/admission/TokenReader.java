package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.access.TokenSettings;
import dev.vivarium.node.access.TokenWish;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.access.TokenGrant;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.ImageRef;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.TimeSpan;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The only place where the body of a request for a token is parsed. */
public final class TokenReader {
    private static final Set<String> FIELDS = Set.of("name", "tenant", "role", "expires", "form", "scope");
    private static final Set<String> SCOPE_FIELDS = Set.of("labels", "image", "limits");
    private static final Map<String, Role> ROLES =
            Arrays.stream(Role.values()).collect(Collectors.toUnmodifiableMap(Role::toString, Function.identity()));
    private static final Pattern DAYS = Pattern.compile("(\\d{1,5})d");

    private static final int BODY_BYTES_MAX = 64 << 10;

    private final TokenSettings settings;
    private final StrictJson json = new StrictJson(BODY_BYTES_MAX);

    public TokenReader(TokenSettings settings) {
        this.settings = settings;
    }

    /** The result of reading a body. */
    public sealed interface Reading {
        /** A valid wish. */
        record Valid(TokenWish wish) implements Reading {}

        /**
         * JSON, but not a valid wish.
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
        TokenWish wish = wish(Fields.of("", root, FIELDS, findings), findings);
        return findings.isEmpty() ? new Reading.Valid(wish) : new Reading.Invalid(findings.all());
    }

    private TokenWish wish(Fields fields, Findings findings) {
        Optional<String> name = fields.text("name");
        if (name.isPresent() && !TokenGrant.isValidName(name.get())) {
            findings.add("name", TokenGrant.NAME_RULE);
        }
        if (!fields.has("role")) {
            findings.add("role", "is required: one of " + String.join(", ", new TreeMap<>(ROLES).keySet()));
        }
        Role role = fields.word("role", ROLES).orElse(Role.VIEWER);
        Optional<Fields> scope = fields.object("scope", SCOPE_FIELDS);
        if (scope.isPresent() && role == Role.OPERATOR) {
            findings.add("scope", "cannot narrow an operator's token: choose another role");
        }
        return new TokenWish(
                name,
                tenant(fields, findings),
                role,
                scope.map(fieldsOfScope -> scope(fieldsOfScope, findings)).orElse(Scope.NONE),
                life(fields, findings),
                fields.word("form", TokenWish.FORMS).orElse(TokenSeal.Form.VIV));
    }

    private static Tenant tenant(Fields fields, Findings findings) {
        String name = fields.text("tenant").orElse(Tenant.DEFAULT.name());
        if (!Tenant.isPlain(name)) {
            findings.add("tenant", Tenant.PLAIN_RULE);
            return Tenant.DEFAULT;
        }
        return new Tenant(name);
    }

    private Duration life(Fields fields, Findings findings) {
        Optional<String> text = fields.text("expires");
        if (text.isEmpty()) {
            return settings.lifeDefault();
        }
        Optional<Duration> life = duration(text.get());
        if (life.isEmpty()) {
            findings.add("expires", "must be a time from now such as 90d or 12h");
        } else if (life.get().isZero() || life.get().compareTo(settings.lifeMax()) > 0) {
            findings.add(
                    "expires",
                    "must be more than 0 and at most " + settings.lifeMax().toDays() + "d");
        }
        return life.orElse(settings.lifeDefault());
    }

    private static Optional<Duration> duration(String text) {
        var days = DAYS.matcher(text);
        if (days.matches()) {
            return Optional.of(Duration.ofDays(Long.parseLong(days.group(1))));
        }
        try {
            return Optional.of(TimeSpan.parse(text).duration());
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }

    private static Scope scope(Fields fields, Findings findings) {
        Map<String, String> labels = LabelFields.read(fields, findings);
        Optional<String> image = fields.text("image");
        if (image.isPresent() && !ImageRef.isValid(image.get())) {
            findings.add("scope.image", ImageRef.RULE);
        }
        Limits limits =
                fields.object("limits", Limit.names()).map(Fields::limits).orElse(Limits.NONE);
        return new Scope(labels, image, limits);
    }
}
