package dev.vivarium.node.driver;

import dev.vivarium.protocol.run.RunId;

/**
 * The attempt that a sandbox serves, which fences all of the sandbox's effects.
 *
 * @param run the run
 * @param attempt the attempt's number, from 1
 */
public record AttemptName(RunId run, int attempt) {}
