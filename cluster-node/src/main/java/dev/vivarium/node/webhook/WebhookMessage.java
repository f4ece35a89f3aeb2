package dev.vivarium.node.webhook;

/** Marks messages to the cluster's one sender; bound to a serializer in reference.conf. */
interface WebhookMessage {}
