/** The store of one machine: a PostgreSQL server that the node brings along, owns and ends. */
@NullMarked
package dev.vivarium.persistence.embedded;

import org.jspecify.annotations.NullMarked;
