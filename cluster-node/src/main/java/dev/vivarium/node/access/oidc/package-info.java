/**
 * Callers whom an OpenID Connect issuer names: its tokens (JWTs, RFC 7519) are verified with the keys that it publishes, and rules
 * of the configuration say what their claims let them do.
 */
@NullMarked
package dev.vivarium.node.access.oidc;

import org.jspecify.annotations.NullMarked;
