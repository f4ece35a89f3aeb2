/** The C programs that run beside a node, and folders that only root may enter: what is in them is trusted. */
@NullMarked
package dev.vivarium.node.program;

import org.jspecify.annotations.NullMarked;
