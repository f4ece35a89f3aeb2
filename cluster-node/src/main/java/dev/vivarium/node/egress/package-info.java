/**
 * What sandboxes with a network may reach, as far as it is decided outside the kernel: who asks (known by the address that
 * it comes from), which addresses are never reachable, and what is told about it. {@code names} answers their DNS
 * questions; {@code gateway} is the way out of those that may reach listed destinations only.
 */
@NullMarked
package dev.vivarium.node.egress;

import org.jspecify.annotations.NullMarked;
