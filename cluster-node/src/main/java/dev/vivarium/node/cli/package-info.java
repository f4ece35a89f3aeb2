/** The command line: a node in the foreground, and a client of the API for everything else. */
@NullMarked
package dev.vivarium.node.cli;

import org.jspecify.annotations.NullMarked;
