/** What runs printed. */
@NullMarked
package dev.vivarium.persistence.output;

import org.jspecify.annotations.NullMarked;
