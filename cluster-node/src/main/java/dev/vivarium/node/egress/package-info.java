/**
 * What sandboxes may reach, enforced outside of them: a link of its own for each sandbox, a packet filter in the kernel that
 * knows sandboxes by the link that they come from, and what is counted there.
 */
@NullMarked
package dev.vivarium.node.egress;

import org.jspecify.annotations.NullMarked;
