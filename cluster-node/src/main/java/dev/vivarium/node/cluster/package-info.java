/** The node as a member of a cluster: identity, start, drain and stop. */
@NullMarked
package dev.vivarium.node.cluster;

import org.jspecify.annotations.NullMarked;
