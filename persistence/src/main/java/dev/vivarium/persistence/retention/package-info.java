/** What is deleted of runs that ended long ago, and when. */
@NullMarked
package dev.vivarium.persistence.retention;

import org.jspecify.annotations.NullMarked;
