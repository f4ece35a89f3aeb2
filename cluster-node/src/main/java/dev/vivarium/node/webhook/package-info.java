/**
 * Messages to webhooks: found in the order over all events, signed, and sent until they are accepted, by one node of the
 * cluster at a time.
 */
@NullMarked
package dev.vivarium.node.webhook;

import org.jspecify.annotations.NullMarked;
