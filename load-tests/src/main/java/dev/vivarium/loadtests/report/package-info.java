/** Measurements as figures and tables. */
@NullMarked
package dev.vivarium.loadtests.report;

import org.jspecify.annotations.NullMarked;
