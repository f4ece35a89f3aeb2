package dev.vivarium.loadtests.subject;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class KernelTest {
    private static final long SELF = ProcessHandle.current().pid();

    @Test
    void theProcessorTimeOfAProcessIsMeasured() throws IOException {
        Duration before = Kernel.processorTime(SELF);

        while (Kernel.processorTime(SELF).minus(before).toMillis() < 50) {
            Thread.onSpinWait();
        }

        assertThat(Kernel.processorTime(SELF)).isGreaterThan(before);
    }

    @Test
    void theStartOfAProcessIsKnownToWithinTwoTicks() throws IOException {
        long bootNanos = Kernel.boot();
        long before = System.nanoTime();
        Process child = new ProcessBuilder("sleep", "30").start();
        long after = System.nanoTime();
        try {
            // The start is rounded down to a tick, and so may the boot time be.
            assertThat(Kernel.startNanos(child.pid(), bootNanos))
                    .isBetween(
                            before - Duration.ofMillis(20).toNanos(),
                            after + Duration.ofMillis(10).toNanos());
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void theProcessorTimeOfProgramsIsMeasuredAfterTheirEnd() throws Exception {
        ProcessorTimes before = ProcessorTimes.of(SELF);

        new ProcessBuilder("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
                .start()
                .waitFor();

        assertThat(ProcessorTimes.of(SELF).since(before).others().toMillis()).isGreaterThanOrEqualTo(20);
    }

    @Test
    void theProcessorTimeOfProgramsIsMeasuredWhileTheyRun() throws IOException {
        ProcessorTimes before = ProcessorTimes.of(SELF);
        Process child = new ProcessBuilder("sh", "-c", "while :; do :; done").start();
        try {
            while (ProcessorTimes.of(SELF).since(before).others().toMillis() < 50) {
                Thread.onSpinWait();
            }

            assertThat(child.isAlive()).isTrue();
        } finally {
            child.destroyForcibly();
        }
    }
}
