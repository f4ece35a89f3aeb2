/**
 * The gateway for sandboxes that may reach listed destinations only: TLS by server name, plain HTTP by Host header, and
 * a proxy. Agents' TLS is not decrypted; to hosts that receive secrets, the gateway itself uses TLS. It resolves names
 * itself and connects to the very address that was checked.
 */
@NullMarked
package dev.vivarium.node.network.gateway;

import org.jspecify.annotations.NullMarked;
