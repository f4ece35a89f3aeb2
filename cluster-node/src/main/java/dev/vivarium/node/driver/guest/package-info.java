/**
 * What every driver needs to speak with the guest inside a sandbox: its program, the channel to it, and the check of what
 * it sends. Knows no engine.
 */
@NullMarked
package dev.vivarium.node.driver.guest;

import org.jspecify.annotations.NullMarked;
