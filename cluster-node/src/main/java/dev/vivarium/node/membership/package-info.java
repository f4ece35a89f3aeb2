/** The node as a member of its cluster: its view of the others, and the detection of lost members. */
@NullMarked
package dev.vivarium.node.membership;

import org.jspecify.annotations.NullMarked;
