package dev.vivarium.node.access.oidc;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.access.RoleRule;
import dev.vivarium.protocol.access.TokenGrant;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * An issuer in {@code vivarium.oidc.issuers} of the configuration; see reference.conf.
 *
 * @param name its name in principals
 * @param issuer what the claim {@code iss} of its tokens is, to the letter
 * @param audiences of which the claim {@code aud} must have one
 * @param principalClaim the claim that names the caller
 * @param authority a PEM file with the authority that signs the issuer's certificate; empty for those that this Java trusts
 * @param tokenFile a file with a token by which the issuer lets its keys be read; empty where they are public
 * @param rules the first that applies to a token decides
 */
record IssuerSettings(
        String name,
        URI issuer,
        Set<String> audiences,
        String principalClaim,
        Optional<Path> authority,
        Optional<Path> tokenFile,
        List<RoleRule> rules) {
    private static final String BLOCK = "vivarium.oidc.issuers";
    private static final Set<String> KEYS =
            Set.of("name", "issuer", "audience", "principal-claim", "authority", "token-file", "rules");

    /**
     * Reads one.
     *
     * @throws ConfigException with a sentence for the operator
     */
    static IssuerSettings from(Config issuer) {
        requireKnown(issuer, KEYS);
        String name = required(issuer, "name");
        if (!TokenGrant.isValidName(name)) {
            throw bad("name", TokenGrant.NAME_RULE);
        }
        List<RoleRule> rules = issuer.getConfigList("rules").stream()
                .map(rule -> RoleRule.from(rule, BLOCK, RoleRule.Statement.CLAIM))
                .toList();
        if (rules.isEmpty()) {
            throw bad("rules", "must have a rule, or the issuer's tokens are of no use");
        }
        List<String> audiences = issuer.getStringList("audience");
        if (audiences.isEmpty()) {
            throw bad("audience", "must name whom tokens are for, or those for other services would be accepted here");
        }
        return new IssuerSettings(
                name,
                address(required(issuer, "issuer")),
                Set.copyOf(audiences),
                optional(issuer, "principal-claim").orElse("sub"),
                optional(issuer, "authority").map(Path::of),
                optional(issuer, "token-file").map(Path::of),
                rules);
    }

    /** Signing keys are fetched from this address, so the connection must not be open to tampering. */
    private static URI address(String text) {
        try {
            URI uri = new URI(text);
            if (uri.getHost() == null || uri.getQuery() != null || uri.getFragment() != null) {
                throw bad("issuer", "must be an address such as https://issuer.example.com, without a query");
            }
            requireSafe(uri, "issuer");
            return uri;
        } catch (URISyntaxException malformed) {
            throw bad("issuer", "is no address: " + malformed.getMessage());
        }
    }

    private static void requireSafe(URI uri, String key) {
        if (!isSafe(uri)) {
            throw bad(key, "must begin with https://, unless it is on this machine");
        }
    }

    /** Whether what is read from there comes from there. */
    static boolean isSafe(URI uri) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        return scheme.equals("https") || (scheme.equals("http") && isLoopback(uri));
    }

    private static boolean isLoopback(URI uri) {
        try {
            return uri.getHost() != null && InetAddress.getByName(uri.getHost()).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    private static void requireKnown(Config block, Set<String> keys) {
        Set<String> unknown = new HashSet<>(block.root().keySet());
        unknown.removeAll(keys);
        if (!unknown.isEmpty()) {
            throw bad(unknown.iterator().next(), "is no key of an issuer; reference.conf lists all keys");
        }
    }

    private static String required(Config block, String key) {
        return optional(block, key).orElseThrow(() -> bad(key, "is missing"));
    }

    private static Optional<String> optional(Config block, String key) {
        return block.hasPath(key)
                ? Optional.of(block.getString(key)).filter(text -> !text.isBlank())
                : Optional.empty();
    }

    private static ConfigException bad(String key, String why) {
        return new ConfigException.BadValue(BLOCK, key + " " + why);
    }
}
