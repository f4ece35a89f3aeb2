package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.util.List;

/**
 * What a sandbox has done with its network, counted outside of it.
 *
 * @param opened connections that it opened, each try of one that is not answered counted, and those beyond its limit too
 * @param reached where they led
 * @param traffic bytes over its link
 * @param denied packets that were dropped, and questions that were refused, because it may not reach what they were for
 * @param destinations how many different destinations were denied, as far as they are told apart
 * @param mostTried those that were tried most
 */
public record EgressUse(
        long opened, Reached reached, Traffic traffic, long denied, long destinations, List<EgressDenial> mostTried) {
    /** No use of a network. */
    public static final EgressUse NOTHING = new EgressUse(0, Reached.NOTHING, Traffic.NOTHING, 0, 0, List.of());

    public EgressUse {
        mostTried = List.copyOf(mostTried);
    }

    /**
     * Where a sandbox's connections led. Known at its end; before, only what went through the gateway.
     *
     * @param destinations how many different ones, as far as they are told apart
     * @param most those of most connections
     */
    public record Reached(long destinations, List<EgressReach> most) {
        public static final Reached NOTHING = new Reached(0, List.of());

        public Reached {
            most = List.copyOf(most);
        }
    }

    /**
     * Bytes over a sandbox's link, with all headers, and with what was refused.
     *
     * @param bytesOut from the sandbox
     * @param bytesIn to it
     */
    public record Traffic(long bytesOut, long bytesIn) {
        public static final Traffic NOTHING = new Traffic(0, 0);

        /** Both directions together. */
        public long bytes() {
            return bytesOut + bytesIn;
        }
    }
}
