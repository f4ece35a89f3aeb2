/** The benchmarks' command line: each command measures Vivarium and what a user would pick instead in one run. */
@NullMarked
package dev.vivarium.loadtests;

import org.jspecify.annotations.NullMarked;
