package dev.vivarium.node.audit;

/** Marks messages to the cluster's sequencer; bound to a serializer in reference.conf. */
interface AuditMessage {}
