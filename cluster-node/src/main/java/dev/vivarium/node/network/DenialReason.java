package dev.vivarium.node.network;

/** Why something outside was not given to a sandbox. */
public enum DenialReason {
    /** It is not on the sandbox's list, or of a kind that no sandbox is given. */
    NOT_LISTED,
    /** A name that is listed or public leads to an address inside, or an address inside was asked for. */
    INTERNAL_ADDRESS,
    /** A connection names two different hosts: one to get through, another to be reached. */
    NAME_MISMATCH,
    /** More than a sandbox may have at once, in a minute, or below one domain. */
    TOO_MANY,
    /** It is not what it claims to be: not a DNS question, not TLS, not HTTP, or ambiguous. */
    MALFORMED,
    /** It would have been given, but it has no address or does not answer. */
    UNREACHABLE
}
