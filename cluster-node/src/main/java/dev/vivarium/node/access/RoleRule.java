package dev.vivarium.node.access;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.auth.Tenant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Maps claims of an issuer's token, or attributes of a certificate's subject, to a role in a tenant.
 *
 * @param condition what a caller must have; empty for all that are vouched for
 * @param role what it may do
 * @param tenant where
 */
public record RoleRule(Optional<Condition> condition, Role role, In tenant) {
    /** What the vouched statements are called in the configuration. */
    public enum Statement {
        CLAIM,
        ATTRIBUTE;

        private String key() {
            return name().toLowerCase(Locale.ROOT);
        }

        private String tenantKey() {
            return "tenant-" + key();
        }
    }

    /** A statement that is this text, or a list that has it. */
    public record Condition(String statement, String value) {
        boolean holds(Map<String, Object> statements) {
            Object found = statements.get(statement);
            return value.equals(found) || (found instanceof List<?> several && several.contains(value));
        }
    }

    /** The tenant of a caller. */
    public sealed interface In {
        /** This one. */
        record Named(Tenant tenant) implements In {}

        /** The one that a statement names. */
        record Stated(String statement) implements In {}
    }

    /**
     * Reads a rule of a configuration.
     *
     * @param block where it is, for the operator
     * @throws ConfigException with a sentence for the operator
     */
    public static RoleRule from(Config rule, String block, Statement kind) {
        Set<String> unknown = new HashSet<>(rule.root().keySet());
        unknown.removeAll(Set.of(kind.key(), "value", "role", "tenant", kind.tenantKey()));
        if (!unknown.isEmpty()) {
            throw bad(
                    block,
                    "has a rule with a key that there is not: "
                            + unknown.iterator().next() + "; reference.conf lists all keys");
        }
        Optional<String> statement = optional(rule, kind.key());
        Optional<String> value = optional(rule, "value");
        if (statement.isPresent() != value.isPresent()) {
            throw bad(block, "has a rule with one of " + kind.key() + " and value: it must have both, or neither");
        }
        return new RoleRule(
                statement.map(key -> new Condition(key, value.orElseThrow())),
                role(rule, block),
                in(rule, role(rule, block), block, kind));
    }

    private static Role role(Config rule, String block) {
        String text = optional(rule, "role").orElseThrow(() -> bad(block, "has a rule without a role"));
        try {
            return Role.parse(text);
        } catch (IllegalArgumentException unknown) {
            throw bad(block, "has a rule with a role that there is not: " + text);
        }
    }

    private static In in(Config rule, Role role, String block, Statement kind) {
        Optional<String> named = optional(rule, "tenant");
        Optional<String> stated = optional(rule, kind.tenantKey());
        if (named.isPresent() && stated.isPresent()) {
            throw bad(block, "has a rule with both of tenant and " + kind.tenantKey() + ": it must have one");
        }
        if (named.isEmpty() && stated.isEmpty() && role.reach() == Role.Reach.OWN_TENANT) {
            throw bad(block, "has a rule for the role " + role + " without a tenant or " + kind.tenantKey());
        }
        if (named.isPresent() && !Tenant.isPlain(named.get())) {
            throw bad(block, "has a rule whose tenant is not one: it " + Tenant.PLAIN_RULE);
        }
        return stated.<In>map(In.Stated::new)
                .orElseGet(() -> new In.Named(named.map(Tenant::new).orElse(Tenant.DEFAULT)));
    }

    private static Optional<String> optional(Config rule, String key) {
        return rule.hasPath(key) ? Optional.of(rule.getString(key)).filter(text -> !text.isBlank()) : Optional.empty();
    }

    private static ConfigException bad(String block, String why) {
        return new ConfigException.BadValue(block, "rules " + why);
    }

    /** Whether it decides on a caller. */
    public boolean applies(Map<String, Object> statements) {
        return condition.map(one -> one.holds(statements)).orElse(true);
    }

    /** The caller's tenant; empty when what should name it is no text, or no name for a tenant. */
    public Optional<Tenant> tenantOf(Map<String, Object> statements) {
        if (tenant instanceof In.Named named) {
            return Optional.of(named.tenant());
        }
        return Optional.ofNullable(statements.get(((In.Stated) tenant).statement()))
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .filter(Tenant::isPlain)
                .map(Tenant::new);
    }

    /** All statements that it looks at. */
    public List<String> statements() {
        Optional<String> named =
                tenant instanceof In.Stated stated ? Optional.of(stated.statement()) : Optional.empty();
        return Stream.concat(condition.map(Condition::statement).stream(), named.stream())
                .toList();
    }
}
