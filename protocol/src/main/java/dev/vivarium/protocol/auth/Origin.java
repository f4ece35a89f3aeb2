package dev.vivarium.protocol.auth;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a request came from that caused an event. With the principal it says who did it.
 *
 * @param tenant the tenant that its caller acted for
 * @param token the token that it presented; empty for the token of the operator on the node's machine
 * @param address the address that it came from, of the caller or of the last proxy before the node, in the text form of
 *     RFC 5952; empty when the node does not know it
 */
public record Origin(Tenant tenant, Optional<TokenId> token, Optional<String> address) {
    /** The longest is that of IPv6 with an embedded IPv4. */
    private static final Pattern ADDRESS = Pattern.compile("[0-9A-Fa-f:.]{2,45}");

    public Origin {
        if (address.filter(text -> !ADDRESS.matcher(text).matches()).isPresent()) {
            throw new IllegalArgumentException("An address is one of IPv4 or IPv6, in digits.");
        }
    }
}
