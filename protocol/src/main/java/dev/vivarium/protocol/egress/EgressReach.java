package dev.vivarium.protocol.egress;

/**
 * What a sandbox had with one destination that it may reach.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param destination an address; behind the gateway, the name that was asked for
 * @param port the port there
 * @param count connections; behind the gateway, also the single requests of plain HTTP
 * @param bytesOut bytes to there: of whole packets, and behind the gateway of what it passed on; 0 in the events of before
 *     they were counted by destination
 * @param bytesIn bytes from there, likewise
 */
public record EgressReach(String protocol, String destination, int port, long count, long bytesOut, long bytesIn) {}
