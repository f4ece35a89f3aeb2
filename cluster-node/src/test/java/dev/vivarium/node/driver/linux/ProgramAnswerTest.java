package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProgramAnswerTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void outputErrorsAndExitCodeAreTheAnswer() throws IOException {
        assertThat(ProgramAnswer.of(LIMIT, "sh", "-c", "echo 1.2; echo 3.4 >&2; exit 3"))
                .isEqualTo(new ProgramAnswer(3, "1.2\n3.4\n"));
    }

    @Test
    void aChildThatItLeavesBehindIsNotWaitedFor() throws IOException {
        assertThat(ProgramAnswer.of(LIMIT, "sh", "-c", "sleep 25 & echo 1.2").text())
                .isEqualTo("1.2\n");
    }

    @Test
    void aLongAnswerIsCut() throws IOException {
        assertThat(ProgramAnswer.of(LIMIT, "sh", "-c", "head -c 200000 /dev/zero")
                        .text())
                .hasSize(4096);
    }

    @Test
    void aProgramThatHangsIsKilled() {
        assertThatThrownBy(() -> ProgramAnswer.of(Duration.ofMillis(200), "sleep", "25"))
                .isInstanceOf(IOException.class)
                .hasMessage("it had not answered after 200 ms");
    }

    @Test
    void theChildrenOfAProgramThatHangsAreKilled() {
        String seconds = "25." + System.nanoTime();

        assertThatThrownBy(() -> ProgramAnswer.of(Duration.ofMillis(300), "sh", "-c", "sleep " + seconds + "; true"))
                .hasMessage("it had not answered after 300 ms");

        Awaitility.await().until(() -> ProcessHandle.allProcesses()
                .noneMatch(one -> one.info().commandLine().orElse("").contains(seconds)));
    }
}
