/** X.509 certificates in PEM files: how they are read and proved usable, and an authority that issues them. */
@NullMarked
package dev.vivarium.node.certificates;

import org.jspecify.annotations.NullMarked;
