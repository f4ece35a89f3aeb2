/**
 * What sandboxes may reach, enforced outside of them: a link for each sandbox, a packet filter in the kernel that
 * identifies sandboxes by link, and its counters. Also what is decided outside the kernel: which sandbox makes a
 * request (by source address), which addresses are never reachable, and what is reported. {@code resolver} answers DNS
 * questions; {@code gateway} serves sandboxes that may reach listed destinations only.
 */
@NullMarked
package dev.vivarium.node.network;

import org.jspecify.annotations.NullMarked;
