/**
 * The machine below a node: reads facts about the machine and its engine in one place, and compares them by pure functions
 * with the requirements of sandboxes and with a list of known holes.
 */
@NullMarked
package dev.vivarium.node.machine;

import org.jspecify.annotations.NullMarked;
