package dev.vivarium.node.egress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Addresses of version 4 that this machine has a use for already.
 *
 * @param first the lowest, as an unsigned number
 * @param last the highest
 */
record UsedRange(long first, long last) {
    private static final int ADDRESS_BITS = 32;

    /**
     * Those that the machine has routes to; the default route aside.
     *
     * @param own an interface whose routes are this node's own, from an earlier life
     */
    static List<UsedRange> ofThisMachine(String own) throws IOException {
        List<UsedRange> used = new ArrayList<>();
        JsonNode routes =
                new ObjectMapper().readTree(KernelCommand.run("", "ip", "-j", "-4", "route", "show", "table", "all"));
        for (JsonNode route : routes) {
            String destination = route.path("dst").asText();
            String device = route.path("dev").asText();
            if (!destination.equals("default") && !device.startsWith(own)) {
                used.add(of(destination));
            }
        }
        return used;
    }

    static UsedRange of(String destination) {
        int slash = destination.indexOf('/');
        int bits = slash < 0 ? ADDRESS_BITS : Integer.parseInt(destination.substring(slash + 1));
        long first =
                Integer.toUnsignedLong(AddressBlock.bits(slash < 0 ? destination : destination.substring(0, slash)));
        return new UsedRange(first, first + (1L << (ADDRESS_BITS - bits)) - 1);
    }

    boolean overlaps(long otherFirst, long otherLast) {
        return first <= otherLast && otherFirst <= last;
    }
}
