/** The subjects of measurement: a node through its public API, the container engine's API, and its command line. */
@NullMarked
package dev.vivarium.loadtests.subject;

import org.jspecify.annotations.NullMarked;
