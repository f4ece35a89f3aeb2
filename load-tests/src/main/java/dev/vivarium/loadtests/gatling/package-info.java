/** Load on the HTTP API. */
@NullMarked
package dev.vivarium.loadtests.gatling;

import org.jspecify.annotations.NullMarked;
