package dev.vivarium.node.network;

/**
 * Records what sandboxes reached and what they were denied. Called from I/O threads for each event, so it must not
 * block, and must bound its memory: a hostile sandbox chooses the names and can ask ten thousand times a second. Names
 * are at most 253 characters of printable ASCII; anything that is not a name is not repeated.
 */
public interface EgressLedger {
    /** Records that the sandbox opens an allowed connection; returns false when it has used up its connections. */
    boolean opens(EgressSubject subject);

    /** A connection was made through the gateway, or a request sent on an existing one. */
    void allowed(EgressSubject subject, String host, int port);

    /** A connection has transferred this much payload in each direction since its last report. */
    void transferred(EgressSubject subject, String host, int port, long bytesOut, long bytesIn);

    /**
     * Something was denied.
     *
     * @param what the requested name or address, or its kind when it had no readable name
     * @param port the requested port; 53 for a name that was not resolved
     */
    void denied(EgressSubject subject, String what, int port, DenialReason reason);
}
