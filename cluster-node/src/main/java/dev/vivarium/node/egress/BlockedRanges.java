package dev.vivarium.node.egress;

import java.util.List;

/** Ranges that are internal everywhere (IANA's special-purpose registries). */
public final class BlockedRanges {
    /** As CIDRs. */
    public static final List<String> ALWAYS = List.of(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4");

    private BlockedRanges() {}
}
