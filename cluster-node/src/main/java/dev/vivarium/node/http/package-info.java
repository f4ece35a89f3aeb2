/**
 * The HTTP API, version 1, and what the ecosystem expects beside it. Knows admission and queries, nothing deeper; what
 * is true of the API stands in {@code openapi.yaml}.
 */
@NullMarked
package dev.vivarium.node.http;

import org.jspecify.annotations.NullMarked;
