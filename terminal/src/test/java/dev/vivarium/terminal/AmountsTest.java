package dev.vivarium.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.run.Measurement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmountsTest {
    @ParameterizedTest
    @CsvSource({
        "0,0 ms",
        "250,250 ms",
        "5000,5 s",
        "5003,5.003 s",
        "10100,10.1 s",
        "60000,1 m 00 s",
        "125999,2 m 05 s",
        "3600000,1 h 00 m",
        "-5,0 ms"
    })
    void timesAreShort(long millis, String words) {
        assertThat(Amounts.time(Duration.ofMillis(millis))).isEqualTo(words);
    }

    @ParameterizedTest
    @CsvSource({
        "0,0 B",
        "1023,1023 B",
        "1024,1 KiB",
        "67108864,64 MiB",
        "12897485,12.3 MiB",
        "10240,10 KiB",
        "9223372036854775807,8 EiB"
    })
    void sizesHaveBinaryUnits(long bytes, String words) {
        assertThat(Amounts.size(bytes)).isEqualTo(words);
    }

    @ParameterizedTest
    @CsvSource({"5,5s", "119,119s", "120,2m", "7200,2h", "172800,2d"})
    void agesAreOneWord(long seconds, String words) {
        assertThat(Amounts.age(Duration.ofSeconds(seconds))).isEqualTo(words);
    }

    @Test
    void aMeasurementIsPrintedWithItsLimit() {
        assertThat(Amounts.measurement(Measurement.millis(5_003, 5_000))).isEqualTo("5.003 s (limit 5 s)");
        assertThat(Amounts.measurement(Measurement.bytes(1 << 20, 1 << 20))).isEqualTo("1 MiB (limit 1 MiB)");
        assertThat(Amounts.measurement(Measurement.bytesPerSecond(3 << 19, 1 << 20)))
                .isEqualTo("1.5 MiB/s (limit 1 MiB/s)");
        assertThat(Amounts.measurement(Measurement.count(32, 32))).isEqualTo("32 (limit 32)");
    }
}
