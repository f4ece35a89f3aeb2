/**
 * The engine of requests, whatever they ask for: binding, guards, limits on bodies and waits, routing, and answers as
 * problem details. Each face of the node is a package beside this one, which hands over its operations as a table; this
 * package knows none of them.
 */
@NullMarked
package dev.vivarium.node.http.server;

import org.jspecify.annotations.NullMarked;
