package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CoreDumpsTest {
    @TempDir
    private Path proc;

    @BeforeEach
    void settings() throws IOException {
        Files.createDirectories(proc.resolve("sys/kernel"));
    }

    private void pattern(String pattern) throws IOException {
        Files.writeString(proc.resolve("sys/kernel/core_pattern"), pattern + "\n");
    }

    @Test
    void aKernelThatSendsCoreDumpsToASocketIsReported() throws IOException {
        pattern("@/run/systemd/coredump.sock");

        assertThat(CoreDumps.warning(proc))
                .hasValueSatisfying(said -> assertThat(said).contains("core_pattern"));
    }

    @Test
    void coreFilesAndPipesHonourTheLimit() throws IOException {
        pattern("|/usr/lib/systemd/systemd-coredump %P %u");
        assertThat(CoreDumps.warning(proc)).isEmpty();

        pattern("core");
        assertThat(CoreDumps.warning(proc)).isEmpty();
    }

    @Test
    void aMissingCorePatternCausesNoWarning() {
        assertThat(CoreDumps.warning(proc)).isEmpty();
    }
}
