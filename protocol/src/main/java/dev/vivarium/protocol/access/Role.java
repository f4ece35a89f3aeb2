package dev.vivarium.protocol.access;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** What a caller may do, and in which tenants. Written in lower case; stored text is permanent. */
public enum Role {
    /** Starts runs of its tenant, sees and cancels them, deletes what is kept of them, and puts secrets for them. */
    SUBMITTER(Reach.OWN_TENANT),
    /** Sees runs of its tenant. */
    VIEWER(Reach.OWN_TENANT),
    /** Sees runs of its tenant and searches their events; starts nothing. */
    AUDITOR(Reach.OWN_TENANT),
    /** Does everything in all tenants. */
    OPERATOR(Reach.ALL_TENANTS);

    /** The tenants in which a role holds. */
    public enum Reach {
        /** The caller's own. */
        OWN_TENANT,
        /** All of them, also those that have no run yet. */
        ALL_TENANTS
    }

    private final Reach reach;

    Role(Reach reach) {
        this.reach = reach;
    }

    /** The tenants in which it holds. */
    public Reach reach() {
        return reach;
    }

    /** Whether the role includes a permission. */
    public boolean has(Permission permission) {
        return switch (permission) {
            case READ -> true;
            case SUBMIT, CANCEL, DELETE, SECRETS -> this == SUBMITTER || this == OPERATOR;
            case AUDIT -> this == AUDITOR || this == OPERATOR;
            case CHECK, HOLDS, NODES, TOKENS, TENANTS -> this == OPERATOR;
        };
    }

    /**
     * Reads the lower-case form.
     *
     * @throws IllegalArgumentException when there is no such role
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Role parse(String text) {
        return Arrays.stream(values())
                .filter(role -> role.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no role " + text + "."));
    }

    @JsonValue
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
