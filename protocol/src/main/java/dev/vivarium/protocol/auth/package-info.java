/** Callers: who acts, and for which tenant. */
@NullMarked
package dev.vivarium.protocol.auth;

import org.jspecify.annotations.NullMarked;
