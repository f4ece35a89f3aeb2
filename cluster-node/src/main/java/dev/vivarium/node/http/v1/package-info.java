/**
 * The HTTP API, version 1: its operations and how their queries and bodies are read. Knows admission and queries,
 * nothing deeper; what is true of the API stands in {@code openapi.yaml}.
 */
@NullMarked
package dev.vivarium.node.http.v1;

import org.jspecify.annotations.NullMarked;
