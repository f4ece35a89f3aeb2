package dev.vivarium.node.http.server;

import java.util.Set;
import javax.net.ssl.SSLEngine;

/** What the server proves itself and encrypts with, which may change while it serves. Thread-safe. */
public interface Encryption {
    /** The server's side of a new connection. */
    SSLEngine engine();

    /** The hosts and addresses that clients can know the server by, in lower case. */
    Set<String> names();
}
