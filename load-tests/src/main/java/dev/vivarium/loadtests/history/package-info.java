/**
 * Breaks a cluster on purpose, writes down what everybody saw, and holds that against what was promised.
 *
 * <p>{@link dev.vivarium.loadtests.history.FaultPlan} and {@link dev.vivarium.loadtests.history.Task} say what is done
 * to the cluster, as pure functions of a seed; {@link dev.vivarium.loadtests.history.Trial} is what was seen of it from
 * three sides (clients, container engine, journal); {@link dev.vivarium.loadtests.history.Checker} is the judge, a pure
 * function again.
 */
@org.jspecify.annotations.NullMarked
package dev.vivarium.loadtests.history;
