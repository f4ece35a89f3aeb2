package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.RunEvent;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EgressTallyTest {
    private static final EgressReach DIRECT = new EgressReach("tcp", "203.0.113.7", 443, 2, 20, 200);
    private static final EgressReach PROXIED = new EgressReach("tcp", "pypi.org", 443, 5, 50, 500);
    private static final EgressDenial DROPPED = new EgressDenial("udp", "10.0.0.1", 53, 9);
    private static final EgressDenial UNANSWERED = new EgressDenial("dns", "internal.corp", 53, 1);

    @Test
    void countsOfKernelAndGatewayAreAddedUp() {
        PacketFilter.Counts kernel = new PacketFilter.Counts(
                Map.of("198.18.0.2", 2L, "198.18.0.3", 7L),
                Map.of("198.18.0.2", 9L),
                Map.of("198.18.0.2", List.of(DROPPED)),
                Map.of("198.18.0.2", List.of(DIRECT)));
        EgressTally gateway = new EgressTally(5, List.of(PROXIED), 1, List.of(UNANSWERED));

        EgressUse use = kernel.of("198.18.0.2").plus(gateway).use(new EgressUse.Traffic(100, 1000));

        assertThat(use)
                .isEqualTo(new EgressUse(
                        7,
                        new EgressUse.Reached(2, List.of(PROXIED, DIRECT)),
                        new EgressUse.Traffic(100, 1000),
                        10,
                        2,
                        List.of(DROPPED, UNANSWERED)));
    }

    @Test
    void anAddressUnknownToTheKernelHasNoUse() {
        assertThat(PacketFilter.Counts.NOTHING.of("198.18.0.2").use(EgressUse.Traffic.NOTHING))
                .isEqualTo(EgressUse.NOTHING);
    }

    @Test
    void allDestinationsAreCountedAndThoseWithMostConnectionsAndTriesAreNamed() {
        int many = RunEvent.EgressUsed.REACHES_MAX + RunEvent.EgressDenied.DENIALS_MAX;
        EgressTally tally = new EgressTally(
                0,
                IntStream.range(0, many)
                        .mapToObj(port -> new EgressReach("tcp", "203.0.113.7", port, port, 0, 0))
                        .toList(),
                0,
                IntStream.range(0, many)
                        .mapToObj(port -> new EgressDenial("tcp", "10.0.0.1", port, port))
                        .toList());

        EgressUse use = tally.use(EgressUse.Traffic.NOTHING);

        assertThat(use.reached().destinations()).isEqualTo(many);
        assertThat(use.reached().most())
                .hasSize(RunEvent.EgressUsed.REACHES_MAX)
                .first()
                .extracting(EgressReach::port)
                .isEqualTo(many - 1);
        assertThat(use.destinations()).isEqualTo(many);
        assertThat(use.mostTried())
                .hasSize(RunEvent.EgressDenied.DENIALS_MAX)
                .first()
                .extracting(EgressDenial::port)
                .isEqualTo(many - 1);
    }
}
