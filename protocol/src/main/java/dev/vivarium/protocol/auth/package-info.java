/** Callers: the principal that acts, and the tenant it acts for. */
@NullMarked
package dev.vivarium.protocol.auth;

import org.jspecify.annotations.NullMarked;
