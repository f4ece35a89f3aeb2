/** The journal of runs: encoding, chaining, verifying and reading events. */
@NullMarked
package dev.vivarium.persistence.journal;

import org.jspecify.annotations.NullMarked;
