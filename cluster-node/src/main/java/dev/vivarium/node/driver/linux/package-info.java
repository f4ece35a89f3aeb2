/**
 * What Linux gives a driver on the machine of its sandboxes, whatever made them: control groups, the processes in them, the
 * system call filter, and what a runtime takes for itself. Knows no engine.
 */
@NullMarked
package dev.vivarium.node.driver.linux;

import org.jspecify.annotations.NullMarked;
