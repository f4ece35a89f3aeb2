/**
 * Who a caller is: tokens of the installation, the token of this machine's operator, and client certificates. What a caller may
 * do is decided by its identity ({@code protocol.access}); this package knows no request.
 */
@NullMarked
package dev.vivarium.node.access;

import org.jspecify.annotations.NullMarked;
