/** What a store is asked for: the contract of each part, which every kind of store keeps. */
@NullMarked
package dev.vivarium.persistence.store;

import org.jspecify.annotations.NullMarked;
