/** Bodies of the HTTP API, version 1, and its problem details (RFC 9457). */
@NullMarked
package dev.vivarium.protocol.api;

import org.jspecify.annotations.NullMarked;
