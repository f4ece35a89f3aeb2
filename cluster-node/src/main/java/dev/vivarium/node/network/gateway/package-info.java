/**
 * The way out for sandboxes that may reach listed destinations only: TLS by the name in its first message, plain HTTP
 * by Host, and a proxy. Nothing of what agents encrypt is decrypted; to hosts that requests bring secrets to, it
 * encrypts itself. What a name leads to is looked up here, not believed, and connected to as it was judged.
 */
@NullMarked
package dev.vivarium.node.network.gateway;

import org.jspecify.annotations.NullMarked;
