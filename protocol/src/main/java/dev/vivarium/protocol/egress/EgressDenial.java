package dev.vivarium.protocol.egress;

/**
 * How often a sandbox tried to reach a forbidden destination.
 *
 * @param protocol {@code tcp} or {@code udp}; {@code dns} for a refused name
 * @param destination an address or a name
 * @param port the destination port
 * @param count packets, or DNS queries
 */
public record EgressDenial(String protocol, String destination, int port, long count) {}
