package dev.vivarium.node.lease;

/** Marks messages between keepers of leases; bound to a serializer in reference.conf. */
interface LeaseMessage {}
