/**
 * What every driver needs to communicate with the guest inside a sandbox: its program, the channel to it, and the check
 * of its frames. Independent of the engine.
 */
@NullMarked
package dev.vivarium.node.driver.guest;

import org.jspecify.annotations.NullMarked;
