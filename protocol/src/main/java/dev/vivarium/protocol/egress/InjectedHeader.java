package dev.vivarium.protocol.egress;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A header that the node adds to a sandbox's requests to one host, with a secret for its value, so that the agent uses the
 * secret and never has it. Of the secret there is only the name here.
 *
 * @param host exactly this host; reached by TLS on port {@value #PORT}
 * @param header the header's name, in lower case
 * @param secret the name of the secret
 * @param prefix what stands before the secret in the header, such as {@code "Bearer "}; at most
 *     {@value #PREFIX_LENGTH_MAX} printable characters
 */
public record InjectedHeader(HostName host, String header, String secret, String prefix) {
    /** The port of the host's TLS. */
    public static final int PORT = 443;

    /** The longest prefix, in characters. */
    public static final int PREFIX_LENGTH_MAX = 64;

    private static final int HEADER_LENGTH_MAX = 128;
    private static final Pattern TOKEN = Pattern.compile("[a-z0-9!#$%&'*+.^_`|~-]{1," + HEADER_LENGTH_MAX + "}");
    private static final Pattern PREFIX = Pattern.compile("(?:[!-~][ -~]*)?");

    /** They say where a message ends, whom it is for, or what two neighbours agree on. */
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
                    + ", which belongs to the connection: name one that the host reads a credential from, such as"
                    + " Authorization");
        }
        if (prefix.length() > PREFIX_LENGTH_MAX || !PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException("must have a prefix of at most " + PREFIX_LENGTH_MAX
                    + " printable ASCII characters that begins with none that is blank, such as \"Bearer \"");
        }
    }

    /** Tells whether somebody could take the other header for this one: many servers take {@code _} for {@code -}. */
    public boolean looksLike(String other) {
        return plain(header).equals(plain(other.toLowerCase(Locale.ROOT)));
    }

    private static String plain(String name) {
        return name.replace('_', '-');
    }
}
