package dev.vivarium.node.network;

import java.net.InetAddress;
import java.util.Optional;

/**
 * Who is behind an address. The kernel keeps sandboxes from sending with any address but their own, so this is who it is,
 * whatever it says of itself. Called for each packet and connection, from I/O threads: it must not block.
 */
@FunctionalInterface
public interface EgressSubjects {
    /** The sandbox that has this address now; empty when none has, and then nothing is answered at all. */
    Optional<EgressSubject> at(InetAddress source);
}
