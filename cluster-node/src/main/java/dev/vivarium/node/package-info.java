/** A node: what it is started with, and how it is put together from its parts. */
@NullMarked
package dev.vivarium.node;

import org.jspecify.annotations.NullMarked;
