/** Files that this machine's kernel generates, such as those below /proc. */
@NullMarked
package dev.vivarium.node.kernel;

import org.jspecify.annotations.NullMarked;
