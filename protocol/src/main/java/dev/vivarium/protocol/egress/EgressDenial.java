package dev.vivarium.protocol.egress;

/**
 * How often a sandbox tried to reach something that it may not.
 *
 * @param protocol {@code tcp} or {@code udp}; {@code dns} for a name that was not answered
 * @param destination an address or a name
 * @param port the port that was wanted
 * @param count packets, or questions
 */
public record EgressDenial(String protocol, String destination, int port, long count) {}
