package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.util.List;

/**
 * A sandbox's network use, counted outside of it.
 *
 * @param opened the number of connections opened, including unanswered attempts and those beyond the limit
 * @param reached their destinations
 * @param traffic bytes on its link
 * @param denied the number of dropped packets and denied questions
 * @param destinations the number of different denied destinations, as far as counted separately
 * @param mostTried those with most attempts
 */
public record EgressUse(
        long opened, Reached reached, Traffic traffic, long denied, long destinations, List<EgressDenial> mostTried) {
    /** No network use. */
    public static final EgressUse NOTHING = new EgressUse(0, Reached.NOTHING, Traffic.NOTHING, 0, 0, List.of());

    public EgressUse {
        mostTried = List.copyOf(mostTried);
    }

    /**
     * The destinations of a sandbox's connections. Complete at its end; before, only those through the gateway.
     *
     * @param destinations the number of different ones, as far as counted separately
     * @param most those with most connections
     */
    public record Reached(long destinations, List<EgressReach> most) {
        public static final Reached NOTHING = new Reached(0, List.of());

        public Reached {
            most = List.copyOf(most);
        }
    }

    /**
     * Bytes on a sandbox's link, including all headers and denied packets.
     *
     * @param bytesOut from the sandbox
     * @param bytesIn to the sandbox
     */
    public record Traffic(long bytesOut, long bytesIn) {
        public static final Traffic NOTHING = new Traffic(0, 0);

        /** Both directions together. */
        public long bytes() {
            return bytesOut + bytesIn;
        }
    }
}
