/** Sandboxes as containers of a Docker engine, local or remote, with any runtime that the engine has. */
@NullMarked
package dev.vivarium.node.driver.docker;

import org.jspecify.annotations.NullMarked;
