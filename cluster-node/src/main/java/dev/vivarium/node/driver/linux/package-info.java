/**
 * What Linux offers a driver on the sandboxes' machine, independent of the engine: control groups, the processes in
 * them, the system call filter, and runtimes' overhead.
 */
@NullMarked
package dev.vivarium.node.driver.linux;

import org.jspecify.annotations.NullMarked;
