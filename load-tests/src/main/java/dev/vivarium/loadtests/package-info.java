/** The benchmarks' command line: each command measures Vivarium and its alternatives in the same run. */
@NullMarked
package dev.vivarium.loadtests;

import org.jspecify.annotations.NullMarked;
