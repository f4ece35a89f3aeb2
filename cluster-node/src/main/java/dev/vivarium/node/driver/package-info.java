/**
 * What a sandbox is to the node, whatever makes it. A driver and the channel that it opens are all that the rest of the
 * node knows of containers; one package below for each driver.
 */
@NullMarked
package dev.vivarium.node.driver;

import org.jspecify.annotations.NullMarked;
