/**
 * Version 1 of the HTTP API: its operations, and how their queries and bodies are parsed. Depends on admission and
 * queries, nothing deeper; {@code openapi.yaml} is its specification.
 */
@NullMarked
package dev.vivarium.node.http.v1;

import org.jspecify.annotations.NullMarked;
