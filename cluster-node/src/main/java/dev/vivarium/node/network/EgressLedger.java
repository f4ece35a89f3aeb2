package dev.vivarium.node.network;

/**
 * Is told what sandboxes reached and what they did not. Called from I/O threads, for each single thing, so it must not
 * block, and it must bound what it keeps: a hostile sandbox chooses the names and can ask ten thousand times a second.
 * Names are at most 253 characters of printable ASCII, and what is not a name is not repeated.
 */
public interface EgressLedger {
    /** The sandbox opens a connection to what it may reach; whether it may still, or has had all that it may open. */
    boolean opens(EgressSubject subject);

    /** A connection was made through the gateway, or a request sent on one that was there. */
    void allowed(EgressSubject subject, String host, int port);

    /** A connection has moved this much of payload in each direction since its last report. */
    void transferred(EgressSubject subject, String host, int port, long bytesOut, long bytesIn);

    /**
     * Something was refused.
     *
     * @param what the name or address that was asked for, or what kind of thing it was when it had no readable name
     * @param port the port that was wanted; 53 for a name that was not answered
     */
    void denied(EgressSubject subject, String what, int port, DenialReason reason);
}
