package dev.vivarium.loadtests.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ClosedLoopTest {
    @Test
    void theGivenNumberOfSandboxesIsInFlight() throws IOException {
        CountDownLatch together = new CountDownLatch(3);
        AtomicInteger done = new AtomicInteger();

        double rate = ClosedLoop.run(
                () -> {
                    together.countDown();
                    await(together);
                    done.incrementAndGet();
                },
                3,
                Duration.ofMillis(1));

        assertThat(done.get()).isGreaterThanOrEqualTo(3);
        assertThat(rate).isPositive();
    }

    @Test
    void aSandboxThatFailsFailsTheMeasurement() {
        assertThatThrownBy(() -> ClosedLoop.run(
                        () -> {
                            throw new IOException("no sandbox");
                        },
                        2,
                        Duration.ofSeconds(5)))
                .isInstanceOf(IOException.class)
                .hasMessage("no sandbox");
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IOException(interrupted);
        }
    }
}
