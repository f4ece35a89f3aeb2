package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class LimitTest {
    @Test
    void everyConstantIsInTheTable() {
        List<Limit<?>> constants = Arrays.stream(Limit.class.getFields())
                .filter(field -> field.getType() == Limit.class)
                .map(LimitTest::constant)
                .collect(Collectors.toList());

        assertThat(Limit.ALL).containsExactlyElementsOf(constants);
    }

    private static Limit<?> constant(java.lang.reflect.Field field) {
        try {
            return (Limit<?>) field.get(null);
        } catch (IllegalAccessException closed) {
            throw new AssertionError(closed);
        }
    }

    @Test
    void noTwoLimitsShareANameAnOptionOrAReason() {
        assertThat(Limit.ALL.stream().map(Limit::name)).doesNotHaveDuplicates();
        assertThat(Limit.ALL.stream().map(Limit::option)).doesNotHaveDuplicates();
        assertThat(Limit.ALL.stream().map(Limit::reason).flatMap(Optional::stream))
                .doesNotHaveDuplicates();
    }

    @Test
    void optionsAreTheNamesInKebabCase() {
        assertThat(Limit.EGRESS_REQUESTS.option()).isEqualTo("--egress-requests");
        assertThat(Limit.CPU_TIME.option()).isEqualTo("--cpu-time");
        assertThat(Limit.OUTPUT.option()).isEqualTo("--output-limit");
    }

    @Test
    void everyKindDescribesItsNotationWhenItRefusesAText() {
        for (Limit<?> limit : Limit.ALL) {
            assertThatThrownBy(() -> limit.kind().parse("lots"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("must be a ")
                    .hasMessageContaining("such as");
        }
    }

    @Test
    void limitsReadBackFromTheirJson() {
        Limits limits = Limits.SMALLEST.with(Limit.MEMORY, "256Mi").with(Limit.PIDS, 128L);

        assertThat(limits.byName())
                .containsEntry("memory", ByteSize.parse("256Mi"))
                .containsEntry("pids", 128L);
        assertThat(Limits.ofAll(limits.byName())).isEqualTo(limits);
    }

    @Test
    void processorTimeFollowsARenewedWallClockUnlessItWasSet() {
        TimeSpan most = TimeSpan.parse("24h");
        Limits limits = Limits.SMALLEST.with(Limit.WALL_CLOCK, "5m").with(Limit.CPU, "500m");
        Limits byDefault = limits.with(Limit.CPU_TIME, limits.cpuTimeOutOfReach(most));
        Limits set = limits.with(Limit.CPU_TIME, "2m");

        assertThat(byDefault.get(Limit.CPU_TIME)).isEqualTo(TimeSpan.parse("166s"));
        Limits renewed = byDefault.renewed(TimeSpan.parse("10m"), most);
        assertThat(renewed.get(Limit.WALL_CLOCK)).isEqualTo(TimeSpan.parse("10m"));
        assertThat(renewed.get(Limit.CPU_TIME)).isEqualTo(TimeSpan.parse("331s"));
        assertThat(renewed.renewed(TimeSpan.parse("5m"), most)).isEqualTo(byDefault);
        assertThat(set.renewed(TimeSpan.parse("10m"), most).get(Limit.CPU_TIME)).isEqualTo(TimeSpan.parse("2m"));
        assertThat(byDefault
                        .renewed(TimeSpan.parse("20h"), TimeSpan.parse("1h"))
                        .get(Limit.CPU_TIME))
                .as("never more than the ceiling")
                .isEqualTo(TimeSpan.parse("1h"));
    }

    @Test
    void unknownLimitsOfANewerNodeAreIgnored() {
        Map<String, Object> newer = new LinkedHashMap<>(Limits.SMALLEST.byName());
        newer.put("heat", "40C");
        newer.remove("pids");

        Limits read = Limits.ofKnown(newer);

        assertThat(read.find(Limit.PIDS)).isEmpty();
        assertThat(read.get(Limit.MEMORY)).isEqualTo(Limit.MEMORY.smallest());
    }

    @Test
    void theJournalRefusesMissingAndUnknownLimits() {
        Map<String, Object> more = new LinkedHashMap<>(Limits.SMALLEST.byName());
        more.put("heat", "40C");
        Map<String, Object> fewer = new LinkedHashMap<>(Limits.SMALLEST.byName());
        fewer.remove("pids");

        assertThatThrownBy(() -> Limits.ofAll(more)).hasMessageContaining("heat");
        assertThatThrownBy(() -> Limits.ofAll(fewer)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void usageReadsBackFromItsJsonAndTheJournalRefusesMissingAndUnknownAmounts() {
        Usage usage = Usage.NONE.with(Limit.MEMORY, 7).with(Limit.FILES, 3);
        Map<String, Long> more = new LinkedHashMap<>(usage.byName());
        more.put("heat", 40L);
        Map<String, Long> fewer = new LinkedHashMap<>(usage.byName());
        fewer.remove("filesPeak");

        assertThat(usage.byName()).containsEntry("memoryPeakBytes", 7L).containsEntry("pidsPeak", 0L);
        assertThat(Usage.ofAll(usage.byName())).isEqualTo(usage);
        assertThatThrownBy(() -> Usage.ofAll(more)).hasMessageContaining("heat");
        assertThatThrownBy(() -> Usage.ofAll(fewer)).isInstanceOf(IllegalArgumentException.class);
        assertThat(Usage.ofKnown(fewer).get(Limit.FILES)).isZero();
        assertThatThrownBy(() -> Usage.NONE.with(Limit.CPU, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aMeasurementHasTheUnitOfItsLimit() {
        Limits limits = Limits.SMALLEST.with(Limit.WALL_CLOCK, "5s");

        assertThat(Limit.WALL_CLOCK.measurement(5003, limits)).isEqualTo(Measurement.millis(5003, 5000));
        assertThat(Limit.PIDS.measurement(2, limits)).isEqualTo(Measurement.count(2, 1));
        assertThat(Limit.DISK.measurement(8192, limits)).isEqualTo(Measurement.bytes(8192, 4096));
    }
}
