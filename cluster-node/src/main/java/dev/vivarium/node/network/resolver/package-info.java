/**
 * The names of sandboxes with a network: the only resolver that they can reach. It gives them addresses of hosts and
 * nothing else, none that lead inside, and few enough names that DNS is no way out for data.
 */
@NullMarked
package dev.vivarium.node.network.resolver;

import org.jspecify.annotations.NullMarked;
