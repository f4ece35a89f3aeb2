/** Contents by digest: what all stores do alike with them, above the rows and pieces that each keeps in its own way. */
@NullMarked
package dev.vivarium.persistence.content;

import org.jspecify.annotations.NullMarked;
