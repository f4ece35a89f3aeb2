/** Callers: the principal that acts, the tenant it acts for, and what it may do there. */
@NullMarked
package dev.vivarium.protocol.auth;

import org.jspecify.annotations.NullMarked;
