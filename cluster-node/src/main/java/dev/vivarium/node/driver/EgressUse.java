package dev.vivarium.node.driver;

import dev.vivarium.protocol.egress.EgressDenial;
import java.util.List;

/**
 * What a sandbox has done with its network, counted outside of it.
 *
 * @param opened connections that it opened, each try of one that is not answered counted
 * @param denied packets that were dropped, and questions that were refused, because it may not reach what they were for
 * @param destinations how many different destinations were denied, as far as they are told apart
 * @param mostTried those that were tried most
 */
public record EgressUse(long opened, long denied, long destinations, List<EgressDenial> mostTried) {
    /** No use of a network. */
    public static final EgressUse NOTHING = new EgressUse(0, 0, 0, List.of());

    public EgressUse {
        mostTried = List.copyOf(mostTried);
    }
}
