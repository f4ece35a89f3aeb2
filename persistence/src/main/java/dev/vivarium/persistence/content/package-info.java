/** Contents by digest: the logic common to all stores, above each store's tables. */
@NullMarked
package dev.vivarium.persistence.content;

import org.jspecify.annotations.NullMarked;
