package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Protects connections to a PostgreSQL on another machine: TLS, and the server's certificate is verified against an authority and
 * the address's host, unless the operator says otherwise by a key with an ugly name. Pure.
 */
final class PostgresTls {
    private static final String MODE = "sslmode";
    private static final String VERIFIED = "verify-full";
    private static final String PREFIX = "jdbc:postgresql:";

    private PostgresTls() {}

    /**
     * The address with what protects its connections.
     *
     * @param url of the JDBC driver, which may say {@code sslmode} itself
     * @param authority a PEM file of authorities; empty for those that Java trusts
     * @throws StoreUnavailable with a sentence when the address asks for connections that verify nobody
     */
    static String url(String url, String authority, ClearText clearText) {
        Map<String, String> parameters = parameters(url);
        String mode = parameters.getOrDefault(MODE, "");
        if (mode.isEmpty()
                && authority.isEmpty()
                && (clearText == ClearText.ALLOWED || isOnThisMachine(url, parameters))) {
            return url;
        }
        if (!mode.isEmpty() && !mode.equals(VERIFIED)) {
            if (clearText == ClearText.ALLOWED || isOnThisMachine(url, parameters)) {
                return url;
            }
            throw new StoreUnavailable("vivarium.store.postgres.url says sslmode=" + mode
                    + ", by which anybody between the nodes and the database can read and change everything: leave it out, or"
                    + " set vivarium.store.postgres.insecure-store-in-clear-text = on where the network is trusted.");
        }
        String protectedUrl = mode.isEmpty() ? with(url, MODE, VERIFIED) : url;
        if (!authority.isEmpty()) {
            return with(protectedUrl, "sslrootcert", authority);
        }
        return mode.isEmpty() ? with(protectedUrl, "sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory") : url;
    }

    private static String with(String url, String name, String value) {
        return url + (url.indexOf('?') < 0 ? "?" : "&") + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static Map<String, String> parameters(String url) {
        int begin = url.indexOf('?');
        return begin < 0
                ? Map.of()
                : Arrays.stream(url.substring(begin + 1).split("&", -1))
                        .map(one -> one.split("=", 2))
                        .collect(Collectors.toMap(one -> one[0], one -> one.length < 2 ? "" : one[1], (a, b) -> b));
    }

    /** A Unix socket, or addresses of the loopback only. */
    private static boolean isOnThisMachine(String url, Map<String, String> parameters) {
        return parameters.containsKey("socketFactory")
                || hosts(url).stream().allMatch(host -> host.isEmpty() || ClearText.isLoopback(host));
    }

    private static List<String> hosts(String url) {
        String rest = url.substring(PREFIX.length());
        if (!rest.startsWith("//")) {
            return List.of();
        }
        String authority = rest.substring(2).split("[/?]", 2)[0];
        return Arrays.stream(authority.split(",", -1))
                .map(one -> one.replaceFirst(":[0-9]*$", ""))
                .toList();
    }
}
