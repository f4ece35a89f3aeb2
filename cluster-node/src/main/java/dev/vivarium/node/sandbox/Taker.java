package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxId;

/**
 * A sandbox that is to end since it takes most of something that the machine is short of.
 *
 * @param why what is scarce, and how much of it the sandbox has: a sentence for the log
 */
record Taker(SandboxId sandbox, String why) {}
