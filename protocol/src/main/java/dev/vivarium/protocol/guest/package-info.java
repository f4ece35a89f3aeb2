/** Frames between the node and {@code vivarium-init}, the guest inside a sandbox: types, codec and limits. */
@NullMarked
package dev.vivarium.protocol.guest;

import org.jspecify.annotations.NullMarked;
