package dev.vivarium.protocol.egress;

/**
 * How often a sandbox opened a connection to something that it may reach.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param destination an address; behind the gateway, the name that was asked for
 * @param port the port there
 * @param count connections, or requests through the gateway
 */
public record EgressReach(String protocol, String destination, int port, long count) {}
