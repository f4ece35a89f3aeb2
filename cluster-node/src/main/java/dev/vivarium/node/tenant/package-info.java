/** What tenants may take: quotas from the configuration and from operators, and how fast a tenant may ask. */
@NullMarked
package dev.vivarium.node.tenant;

import org.jspecify.annotations.NullMarked;
