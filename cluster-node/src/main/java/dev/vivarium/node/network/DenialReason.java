package dev.vivarium.node.network;

/** Why a sandbox was denied a destination. */
public enum DenialReason {
    /** It is not on the sandbox's allowlist, or is of a kind that no sandbox may use. */
    NOT_LISTED,
    /** A listed or public name resolves to an internal address, or an internal address was requested. */
    INTERNAL_ADDRESS,
    /** A connection names two different hosts: one to pass the check, another to be reached. */
    NAME_MISMATCH,
    /** The sandbox exceeded a limit on concurrent, per-minute or per-domain use. */
    TOO_MANY,
    /** It is not valid DNS, TLS or HTTP, or is ambiguous. */
    MALFORMED,
    /** It was allowed, but has no address or does not answer. */
    UNREACHABLE
}
