/** Journal, output, queries and keys of secrets on a Cassandra cluster. */
@NullMarked
package dev.vivarium.persistence.cassandra;

import org.jspecify.annotations.NullMarked;
