/** The node as a member of its cluster: who the others are, and how a member that is gone is noticed. */
@NullMarked
package dev.vivarium.node.membership;

import org.jspecify.annotations.NullMarked;
