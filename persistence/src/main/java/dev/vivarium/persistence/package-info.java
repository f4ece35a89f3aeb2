/** What lasts: the one thing that a node opens to have a journal, output, queries and secrets. */
@NullMarked
package dev.vivarium.persistence;

import org.jspecify.annotations.NullMarked;
