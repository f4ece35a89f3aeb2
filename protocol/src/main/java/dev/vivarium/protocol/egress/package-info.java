/** What a sandbox may reach over the network. */
@NullMarked
package dev.vivarium.protocol.egress;

import org.jspecify.annotations.NullMarked;
