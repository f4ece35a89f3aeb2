/** Agents that are tried on a node: their submissions, and their expected and actual results. */
@NullMarked
package dev.vivarium.trials.agents;

import org.jspecify.annotations.NullMarked;
