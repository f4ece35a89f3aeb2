/**
 * Injects faults into a cluster, records the observations, and checks them against the promises.
 *
 * <p>{@link dev.vivarium.loadtests.history.FaultPlan} and {@link dev.vivarium.loadtests.history.Task} are the faults
 * and the load, as pure functions of a seed; {@link dev.vivarium.loadtests.history.Trial} holds the observations from
 * three sources (clients, kernel and container engine, journal); {@link dev.vivarium.loadtests.history.Checker}, again a pure
 * function, is the check.
 */
@org.jspecify.annotations.NullMarked
package dev.vivarium.loadtests.history;
