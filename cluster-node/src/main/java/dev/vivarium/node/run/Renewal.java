package dev.vivarium.node.run;

import dev.vivarium.protocol.run.TimeSpan;

/**
 * What a request to move a run's deadline asks for; within the operator's ceiling.
 *
 * @param wallClock the wall clock limit, from the start of each attempt's process
 * @param cpuTimeMax the ceiling of processor time, whose default follows the wall clock
 */
public record Renewal(TimeSpan wallClock, TimeSpan cpuTimeMax) {}
