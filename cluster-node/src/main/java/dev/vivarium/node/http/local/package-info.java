/**
 * The socket of this machine: connections of its users over a Unix domain socket, whom the kernel names. Carries bytes between
 * connections and streams, and knows no HTTP.
 */
@NullMarked
package dev.vivarium.node.http.local;

import org.jspecify.annotations.NullMarked;
