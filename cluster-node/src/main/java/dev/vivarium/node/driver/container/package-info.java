/**
 * Shared by drivers whose sandboxes are containers, whatever creates them: a sandbox's state, and its measurement.
 */
@NullMarked
package dev.vivarium.node.driver.container;

import org.jspecify.annotations.NullMarked;
