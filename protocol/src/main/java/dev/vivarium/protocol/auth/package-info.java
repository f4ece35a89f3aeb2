/** The principal that acts, the tenant that it acts for, and where its request came from. */
@NullMarked
package dev.vivarium.protocol.auth;

import org.jspecify.annotations.NullMarked;
