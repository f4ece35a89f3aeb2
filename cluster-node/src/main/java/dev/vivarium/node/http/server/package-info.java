/**
 * The HTTP server, independent of the API: binding, guards, limits on bodies and waits, routing, and problem responses.
 * Each API is a package beside this one, which passes its operations in as a table; this package knows none of them.
 */
@NullMarked
package dev.vivarium.node.http.server;

import org.jspecify.annotations.NullMarked;
