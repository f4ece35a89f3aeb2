package dev.vivarium.terminal;

import java.net.URI;

/** The address of a node in users' notation. */
public final class NodeAddress {
    /** The node if none is given. */
    public static final String DEFAULT = "http://127.0.0.1:8080";

    private NodeAddress() {}

    /**
     * Parses an address; the scheme may be omitted.
     *
     * @param text the user's input; an empty text means {@link #DEFAULT}
     * @throws UserError if it is not a valid address
     */
    public static URI parse(String text) {
        String whole = text.isEmpty() ? DEFAULT : text.contains("://") ? text : "http://" + text;
        try {
            URI uri = URI.create(whole);
            boolean spoken = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (spoken && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException malformed) {
            throw refusal(whole);
        }
        throw refusal(whole);
    }

    private static UserError refusal(String text) {
        return new UserError(
                ExitCode.USAGE, "'" + text + "' is not the address of a node; it must be like " + DEFAULT + ".");
    }
}
