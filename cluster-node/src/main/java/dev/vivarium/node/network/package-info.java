/**
 * What sandboxes may reach, enforced outside of them: a link of its own for each sandbox, a packet filter in the kernel that
 * knows sandboxes by the link that they come from, and what is counted there. Beside it what is decided outside the kernel:
 * who asks (known by the address that it comes from), which addresses are never reachable, and what is told about it.
 * {@code names} answers DNS questions; {@code gateway} is the way out of those that may reach listed destinations only.
 */
@NullMarked
package dev.vivarium.node.network;

import org.jspecify.annotations.NullMarked;
