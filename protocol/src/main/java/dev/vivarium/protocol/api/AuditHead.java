package dev.vivarium.protocol.api;

/**
 * How far the order over all runs reaches.
 *
 * @param size how many events have a position; the next one gets this position
 * @param lagMillis how long the oldest event that is known to have no position yet has waited for one
 */
public record AuditHead(long size, long lagMillis) {}
