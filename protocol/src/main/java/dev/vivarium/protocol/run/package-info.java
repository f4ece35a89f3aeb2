/** The life of a run: what is asked for, what happens, and the pure machine that says which event may follow which. */
@NullMarked
package dev.vivarium.protocol.run;

import org.jspecify.annotations.NullMarked;
