/**
 * The only DNS resolver that sandboxes can reach. It returns hosts' addresses and nothing else, no internal ones, and
 * for so few names that DNS does not serve to exfiltrate data.
 */
@NullMarked
package dev.vivarium.node.network.resolver;

import org.jspecify.annotations.NullMarked;
