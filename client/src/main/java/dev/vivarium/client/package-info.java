/** The client of the HTTP API: retries, resumed streams, and errors that say what went wrong. */
@NullMarked
package dev.vivarium.client;

import org.jspecify.annotations.NullMarked;
