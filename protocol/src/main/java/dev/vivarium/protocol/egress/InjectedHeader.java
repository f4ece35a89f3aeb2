package dev.vivarium.protocol.egress;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A header with a secret value that the node adds to a sandbox's requests to one host, so that the agent can use the
 * secret without having it. This record holds the secret's name only.
 *
 * @param host the exact host, reached over TLS on port {@value #PORT}
 * @param header the header's name, in lower case
 * @param secret the name of the secret
 * @param prefix what precedes the secret in the header, such as {@code "Bearer "}; at most {@value #PREFIX_LENGTH_MAX}
 *     printable characters
 */
public record InjectedHeader(HostName host, String header, String secret, String prefix) {
    /** The TLS port. */
    public static final int PORT = 443;

    /** The longest prefix, in characters. */
    public static final int PREFIX_LENGTH_MAX = 64;

    /** The longest value that is sent, in characters: what servers commonly take. */
    public static final int VALUE_LENGTH_MAX = 4096;

    private static final Pattern VALUE = Pattern.compile("(?=[ -~]{1," + VALUE_LENGTH_MAX + "}\\z)[!-~](?:.*[!-~])?");

    private static final int HEADER_LENGTH_MAX = 128;
    private static final Pattern TOKEN = Pattern.compile("[a-z0-9!#$%&'*+.^_`|~-]{1," + HEADER_LENGTH_MAX + "}");
    private static final Pattern PREFIX = Pattern.compile("(?:[!-~][ -~]*)?");

    /** Headers that define message framing, routing or hop-by-hop behaviour. */
    private static final Set<String> OF_THE_CONNECTION = Set.of(
            "connection",
            "content-encoding",
            "content-length",
            "expect",
            "host",
            "http2-settings",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "via");

    public InjectedHeader {
        header = header.toLowerCase(Locale.ROOT);
        if (!host.isQualified()) {
            throw new IllegalArgumentException("must name a full host such as api.example.com");
        }
        if (!TOKEN.matcher(header).matches()) {
            throw new IllegalArgumentException("must name a header such as Authorization, of at most "
                    + HEADER_LENGTH_MAX + " letters, digits and dashes");
        }
        if (OF_THE_CONNECTION.contains(plain(header)) || plain(header).startsWith("proxy-")) {
            throw new IllegalArgumentException("names the header " + header
                    + ", which controls the connection: name one that the host reads a credential from, such as"
                    + " Authorization");
        }
        if (prefix.length() > PREFIX_LENGTH_MAX || !PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException("must have a prefix of at most " + PREFIX_LENGTH_MAX
                    + " printable ASCII characters that does not begin with a blank, such as \"Bearer \"");
        }
    }

    /**
     * Whether a header can carry the value: printable ASCII without blanks around it, and at most {@value
     * #VALUE_LENGTH_MAX} characters.
     */
    public static boolean carries(String value) {
        return VALUE.matcher(value).matches();
    }

    /** Whether a server could mistake the other header for this one: many servers treat {@code _} as {@code -}. */
    public boolean looksLike(String other) {
        return plain(header).equals(plain(other.toLowerCase(Locale.ROOT)));
    }

    private static String plain(String name) {
        return name.replace('_', '-');
    }
}
