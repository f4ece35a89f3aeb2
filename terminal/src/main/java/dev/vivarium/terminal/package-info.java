/**
 * Shared by command lines: the terminal, tables and amounts, filters for untrusted text, errors as sentences, and exit codes.
 */
@NullMarked
package dev.vivarium.terminal;

import org.jspecify.annotations.NullMarked;
