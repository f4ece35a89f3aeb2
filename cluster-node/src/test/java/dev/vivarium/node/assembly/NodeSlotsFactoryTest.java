package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.Drain;
import dev.vivarium.node.placement.Machine;
import dev.vivarium.node.placement.QuotaCheck;
import org.junit.jupiter.api.Test;

class NodeSlotsFactoryTest {
    private static final Machine MACHINE = new Machine(24L << 30, 32_768, 2_400_000);

    private static Capacity capacity(Machine machine, String settings) {
        return capacity(machine, 0, settings);
    }

    private static Capacity capacity(Machine machine, long diskBytes, String settings) {
        return NodeSlotsFactory.of(
                        ConfigFactory.parseString(settings)
                                .withFallback(ConfigFactory.defaultReference().getConfig("vivarium.run")),
                        machine,
                        diskBytes,
                        new Drain(),
                        NodeClock.system(),
                        QuotaCheck.NONE)
                .capacity();
    }

    @Test
    void aNodeOffersWhatItsMachineHasLessItsReserve() {
        assertThat(capacity(MACHINE, ""))
                .isEqualTo(new Capacity(
                        256, (24L << 30) - (1536L << 20), Capacity.UNLIMITED, 32_768 - 4_096, 2_400_000 - 65_536));
    }

    @Test
    void disksOfRunsHaveWhatIsFreeLessAReserve() {
        assertThat(capacity(MACHINE, 100L << 30, "").diskBytes()).isEqualTo(92L << 30);
        assertThat(capacity(MACHINE, 10L << 30, "").diskBytes()).isEqualTo(5L << 30);
        assertThat(capacity(MACHINE, 10L << 30, "disk-max = 7Gi").diskBytes()).isEqualTo(7L << 30);
        assertThat(capacity(MACHINE, 0, "disk-max = 7Gi").diskBytes()).isZero();
    }

    @Test
    void aMachineThatIsNotKnownBoundsNothing() {
        Capacity capacity = capacity(Machine.UNKNOWN, "");

        assertThat(capacity.memoryBytes()).isEqualTo(Capacity.UNLIMITED);
        assertThat(capacity.openFiles()).isEqualTo(Capacity.UNLIMITED);
    }

    @Test
    void anOperatorsAmountsTakeTheMachinesPlace() {
        Capacity capacity = capacity(MACHINE, "open-files-max = unlimited, processes-max = 500, memory-max = 2Gi");

        assertThat(capacity.openFiles()).isEqualTo(Capacity.UNLIMITED);
        assertThat(capacity.processes()).isEqualTo(500);
        assertThat(capacity.memoryBytes()).isEqualTo(2L << 30);
    }

    @Test
    void anAmountThatIsNoneNamesItsKey() {
        assertThatThrownBy(() -> capacity(MACHINE, "open-files-max = many"))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("open-files-max")
                .hasMessageContaining("Or say machine, or unlimited.");
    }
}
