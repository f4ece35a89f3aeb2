/** What a stranger needs to verify the log of all events without trusting whoever keeps it. */
@NullMarked
package dev.vivarium.protocol.audit;

import org.jspecify.annotations.NullMarked;
