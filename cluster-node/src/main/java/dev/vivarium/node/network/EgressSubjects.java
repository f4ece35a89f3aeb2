package dev.vivarium.node.network;

import java.net.InetAddress;
import java.util.Optional;

/**
 * Maps addresses to sandboxes. The kernel keeps sandboxes from sending with any address but their own, so the address
 * identifies the sandbox reliably. Called for each packet and connection on I/O threads: it must not block.
 */
@FunctionalInterface
public interface EgressSubjects {
    /** The sandbox that currently has this address; if empty, the sender gets no answer at all. */
    Optional<EgressSubject> at(InetAddress source);
}
