package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.report.Series;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class NeighboursCommandTest {
    @Test
    void eachOperationHasARowWithoutSharesAndOneWithThem() {
        NeighboursCommand.Waits without = NeighboursCommand.Waits.of(List.of(
                new NeighboursCommand.Waits(millis(1, 1), millis(4, 40)),
                new NeighboursCommand.Waits(millis(1, 2), millis(4, 4))));
        NeighboursCommand.Waits with = new NeighboursCommand.Waits(millis(1, 2), millis(2, 3));

        String table = NeighboursCommand.table(Map.of("a read", without), Map.of("a read", with));

        assertThat(table.lines().map(line -> line.replaceAll(" +", " ").strip()))
                .contains("a read none 1.0 4.0 4.00x 2.0 40.0 20.00x", "default 1.0 2.0 2.00x 2.0 3.0 1.50x");
    }

    private static Series millis(long... waits) {
        return new Series(LongStream.of(waits).mapToObj(Duration::ofMillis).toList());
    }
}
