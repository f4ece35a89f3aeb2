/**
 * Sandboxes by an OCI runtime of this machine, without a container engine in between: the engine only resolves and delivers
 * images. The launcher (src/main/launch) runs the runtimes and is the parent of what they start.
 */
@NullMarked
package dev.vivarium.node.driver.oci;

import org.jspecify.annotations.NullMarked;
