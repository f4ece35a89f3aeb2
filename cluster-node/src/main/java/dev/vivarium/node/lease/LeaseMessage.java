package dev.vivarium.node.lease;

/** Marks what keepers of leases send each other; bound to a serializer in reference.conf. */
interface LeaseMessage {}
