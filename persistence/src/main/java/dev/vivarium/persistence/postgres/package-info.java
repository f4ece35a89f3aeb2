/** Journal, output and queries on a PostgreSQL, wherever it runs. */
@NullMarked
package dev.vivarium.persistence.postgres;

import org.jspecify.annotations.NullMarked;
