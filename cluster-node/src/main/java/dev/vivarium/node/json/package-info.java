/** JSON that is not of Vivarium's own making. */
@NullMarked
package dev.vivarium.node.json;

import org.jspecify.annotations.NullMarked;
