package dev.vivarium.protocol.access;

import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import java.time.Instant;
import java.util.regex.Pattern;

/**
 * What a token grants, from its creation on; none of it changes.
 *
 * @param name the principal's name: 1 to 63 letters, digits, '.', '_' or '-'
 * @param tenant the tenant that it acts for
 * @param role what it may do
 * @param scope what it is narrowed to
 * @param by who created it
 * @param createdAt when it was created
 * @param expiresAt when it ends
 */
public record TokenGrant(
        String name, Tenant tenant, Role role, Scope scope, Principal by, Instant createdAt, Instant expiresAt) {
    /** What a name must be, for users. */
    public static final String NAME_RULE = "must be 1 to 63 letters, digits, '.', '_' or '-'";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");

    public TokenGrant {
        if (!isValidName(name)) {
            throw new IllegalArgumentException("The name of a token " + NAME_RULE + ".");
        }
    }

    /** Whether a token may have this name. */
    public static boolean isValidName(String name) {
        return NAME.matcher(name).matches();
    }
}
