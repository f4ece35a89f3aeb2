/** The store of one machine: a PostgreSQL server that the node bundles, owns and stops. */
@NullMarked
package dev.vivarium.persistence.embedded;

import org.jspecify.annotations.NullMarked;
