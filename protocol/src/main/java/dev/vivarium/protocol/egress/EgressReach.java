package dev.vivarium.protocol.egress;

/**
 * A sandbox's traffic with one allowed destination.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param destination an address; behind the gateway, the requested name
 * @param port the port there
 * @param count connections; behind the gateway, each request of plain HTTP counts
 * @param bytesOut bytes sent: whole packets, or the payload that the gateway forwarded; 0 in events written before
 *     bytes were counted by destination
 * @param bytesIn bytes received, likewise
 */
public record EgressReach(String protocol, String destination, int port, long count, long bytesOut, long bytesIn) {}
