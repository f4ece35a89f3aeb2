/** The contracts of a store's parts, which every kind of store fulfils. */
@NullMarked
package dev.vivarium.persistence.store;

import org.jspecify.annotations.NullMarked;
