/** What people read on a terminal: tables, amounts, and what untrusted text may do there. */
@NullMarked
package dev.vivarium.node.cli.text;

import org.jspecify.annotations.NullMarked;
