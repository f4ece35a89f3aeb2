/**
 * HTTP/2 (RFC 9113). A session takes a connection apart into streams, and each stream is served as if it were a connection of
 * HTTP/1.1 with one request, so that whatever bounds connections bounds streams.
 */
@NullMarked
package dev.vivarium.node.http.server.http2;

import org.jspecify.annotations.NullMarked;
