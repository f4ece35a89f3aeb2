/** Callers of the API: who they are, what their role and scope let them do in which tenant, and what tokens grant. */
@NullMarked
package dev.vivarium.protocol.access;

import org.jspecify.annotations.NullMarked;
