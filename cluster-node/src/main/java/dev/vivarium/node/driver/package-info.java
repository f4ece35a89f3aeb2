/**
 * The abstraction of sandboxes. The rest of the node knows only a driver and the channels that it opens; each driver is
 * a package below.
 */
@NullMarked
package dev.vivarium.node.driver;

import org.jspecify.annotations.NullMarked;
