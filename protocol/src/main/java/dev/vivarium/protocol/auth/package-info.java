/** The principal that acts, and the tenant that it acts for. */
@NullMarked
package dev.vivarium.protocol.auth;

import org.jspecify.annotations.NullMarked;
