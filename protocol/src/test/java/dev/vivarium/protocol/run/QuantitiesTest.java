package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantitiesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1048576, 1048576",
        "256Mi, 268435456",
        "1Gi, 1073741824",
        "1.5Ki, 1536",
        "2Ti, 2199023255552",
        "500k, 500000",
        "3M, 3000000",
        "4G, 4000000000",
        "5T, 5000000000000",
        "0.5, 0",
    })
    void sizesAreReadInTheNotationOfKubernetes(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(new ByteSize(bytes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "Mi", "-1", "1mi", "1 Mi", "1KB", "1e3", "0x10", ".5Mi", "1.", "1.1234Mi", "१Mi"})
    void invalidSizesAreRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be a size such as 256Mi, 1Gi or 1048576");
    }

    @Test
    void aSizeBeyondAnyMachineIsRefused() {
        assertThatThrownBy(() -> ByteSize.parse("999999999999999Ti"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("is larger than any machine");
        assertThatThrownBy(() -> new ByteSize(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ByteSize(Long.MAX_VALUE).plus(new ByteSize(1)))
                .isInstanceOf(ArithmeticException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1023, 1023",
        "1024, 1Ki",
        "1536, 1536",
        "2097152, 2Mi",
        "1073741824, 1Gi",
        "1099511627776, 1024Gi"
    })
    void sizesArePrintedInTheShortestExactForm(long bytes, String text) {
        assertThat(new ByteSize(bytes)).hasToString(text);
    }

    @Property
    void aPrintedSizeIsReadAsTheSameSize(@ForAll @LongRange(min = 0, max = 999_999_999_999_999L) long bytes) {
        ByteSize size = new ByteSize(bytes);

        assertThat(ByteSize.parse(size.toString())).isEqualTo(size);
    }

    @Property
    void sizesAreOrderedAsTheirBytes(@ForAll @LongRange(min = 0) long one, @ForAll @LongRange(min = 0) long other) {
        assertThat(new ByteSize(one).compareTo(new ByteSize(other))).isEqualTo(Long.compare(one, other));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "500m, 500", "1, 1000", "1.5, 1500", "0.001, 1", "2.05, 2050", "999999m, 999999"})
    void sharesOfProcessorTimeAreReadInTheNotationOfKubernetes(String text, long millicores) {
        assertThat(CpuQuota.parse(text)).isEqualTo(new CpuQuota(millicores));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "-1", "1.5m", "1.0001", "1 m", "half", "1e3", "1000000"})
    void invalidSharesAreRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> CpuQuota.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be a share of cores such as 500m, 1 or 1.5");
    }

    @Property
    void aPrintedShareIsReadAsTheSameShare(@ForAll @LongRange(min = 0, max = 999_999_999L) long millicores) {
        CpuQuota quota = new CpuQuota(millicores);

        assertThat(CpuQuota.parse(quota.toString())).isEqualTo(quota);
    }

    @ParameterizedTest
    @CsvSource({
        "0s, 0",
        "250ms, 250",
        "90s, 90000",
        "5m, 300000",
        "1h30m, 5400000",
        "1h1m1s1ms, 3661001",
        "2h5ms, 7200005",
        "120m, 7200000",
    })
    void timesAreReadInTheNotationOfGo(String text, long millis) {
        assertThat(TimeSpan.parse(text).millis()).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "5 m", "-5m", "1.5h", "m", "30s5m", "5M", "5m5m", "1d", "1s\n"})
    void invalidTimesAreRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> TimeSpan.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be a time such as 5m, 90s, 1h30m or 250ms");
    }

    @ParameterizedTest
    @CsvSource({"0, 0s", "1, 1ms", "1000, 1s", "60000, 1m", "5400000, 1h30m", "3661001, 1h1m1s1ms"})
    void timesArePrintedInTheNotationOfGo(long millis, String text) {
        assertThat(new TimeSpan(Duration.ofMillis(millis))).hasToString(text);
    }

    @Property
    void aPrintedTimeIsReadAsTheSameTime(@ForAll @LongRange(min = 0, max = 3_599_999_999_999L) long millis) {
        TimeSpan span = new TimeSpan(Duration.ofMillis(millis));

        assertThat(TimeSpan.parse(span.toString())).isEqualTo(span);
        assertThat(span.millis()).isEqualTo(millis);
    }

    @Test
    void aTimeIsNeverNegative() {
        assertThatThrownBy(() -> TimeSpan.ofSeconds(-1)).isInstanceOf(IllegalArgumentException.class);
    }
}
