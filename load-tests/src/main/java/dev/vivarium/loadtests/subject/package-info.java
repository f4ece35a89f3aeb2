/** What is measured: a node through its public API, the container engine's own API, and its command line. */
@NullMarked
package dev.vivarium.loadtests.subject;

import org.jspecify.annotations.NullMarked;
