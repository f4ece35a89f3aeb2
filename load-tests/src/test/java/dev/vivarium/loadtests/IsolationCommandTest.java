package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.subject.CostProbe.Costs;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class IsolationCommandTest {
    @Test
    void theCostOfAClassIsPrintedAsARatioToTheOther() {
        String table = IsolationCommand.table(List.of(costs(10)), List.of(costs(25)));

        assertThat(table.lines().skip(2)).hasSize(4).allSatisfy(line -> assertThat(line)
                .matches("\\w.*  10\\.0 +25\\.0 +2\\.50x +2\\.50x"));
    }

    private static Costs costs(long millis) {
        Duration each = Duration.ofMillis(millis);
        return new Costs(each, each, each, each);
    }
}
