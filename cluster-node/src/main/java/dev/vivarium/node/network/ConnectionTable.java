package dev.vivarium.node.network;

import java.io.IOException;

/**
 * The kernel's connection tracking table, which the whole machine shares: when it is full, the node's own new
 * connections are dropped, too. So when it is nearly full, sandboxes may open no connections until there is room again.
 *
 * @param entries the connections in it
 * @param max its capacity
 */
record ConnectionTable(long entries, long max) {
    /** As a share of the table. Between the two thresholds the last decision stands, to avoid flapping. */
    private static final double NEARLY_FULL = 0.75;

    private static final double ROOM_AGAIN = 0.6;

    /** Reads the current state. */
    static ConnectionTable now() throws IOException {
        return new ConnectionTable(read("nf_conntrack_count"), read("nf_conntrack_max"));
    }

    private static long read(String name) throws IOException {
        return Long.parseLong(KernelSetting.read("netfilter/" + name));
    }

    /** Whether to keep sandboxes from opening connections, given whether they are kept from it now. */
    boolean closes(boolean closed) {
        return entries > max * (closed ? ROOM_AGAIN : NEARLY_FULL);
    }
}
