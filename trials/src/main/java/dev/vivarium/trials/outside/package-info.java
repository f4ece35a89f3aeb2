/**
 * The surroundings of a node, and observations from outside: its process, the container engine over a separate socket, the
 * count of leftovers, and hosts that stand for the internet. Shared by trials, benchmarks and the node's tests.
 */
@NullMarked
package dev.vivarium.trials.outside;

import org.jspecify.annotations.NullMarked;
