package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OciRuntimeTest {
    private static final Path PROGRAM = Path.of("/usr/bin/runtime");

    @ParameterizedTest
    @CsvSource({
        "CONTAINER, crun version 1.8.1",
        "CONTAINER, crun version 1.21",
        "CONTAINER, crun version 2.0",
        "CONTAINER, runc version 1.1.5+ds1",
        "CONTAINER, runc version 1.2.0-rc.3",
        "GVISOR, runsc version 0.0~20221219.0",
        "GVISOR, runsc version release-20240729.0"
    })
    void aRecentRuntimeIsAccepted(Isolation isolation, String answer) {
        assertThat(OciRuntime.judge(isolation, PROGRAM, answer + "\nspec: 1.0.0\n"))
                .isInstanceOf(OciRuntime.Found.class);
    }

    @ParameterizedTest
    @CsvSource({"crun version 0.17, 1.8", "crun version 1.4.5, 1.8", "runc version 1.0.3, 1.1"})
    void anOutdatedRuntimeIsRefused(String answer, String oldest) {
        assertThat(why(OciRuntime.judge(Isolation.CONTAINER, PROGRAM, answer)))
                .contains("/usr/bin/runtime is of version")
                .contains(oldest + " is the oldest that can be used");
    }

    @ParameterizedTest
    @CsvSource({
        "GVISOR, runsc version 0.0~20221219.0, ptrace",
        "GVISOR, runsc version 0.0~20240729.0, systrap",
        "GVISOR, runsc version release-20240729.0, systrap",
        "GVISOR, runsc version of-our-own-build,",
        "CONTAINER, crun version 1.21,"
    })
    void gvisorInterceptsSystemCallsInItsFastestWay(Isolation isolation, String answer, String platform) {
        OciRuntime runtime =
                OciRuntime.judge(isolation, PROGRAM, answer).runtime().orElseThrow();

        Optional<String> expected = Optional.ofNullable(platform);
        assertThat(runtime.platform()).isEqualTo(expected);
        assertThat(runtime.launch().stream().filter(argument -> argument.startsWith("--platform")))
                .isEqualTo(expected.map(word -> "--platform=" + word).stream().toList());
        expected.ifPresent(word -> assertThat(runtime.toString()).contains("platform " + word));
    }

    @Test
    void anotherProgramOfTheSameNameIsRefused() {
        assertThat(why(OciRuntime.judge(Isolation.CONTAINER, PROGRAM, "usage: runtime [options]")))
                .contains("it said \"usage: runtime [options]\"");
        assertThat(why(OciRuntime.judge(Isolation.GVISOR, PROGRAM, "crun version 1.21")))
                .contains("is no runtime that is known here");
    }

    @Test
    void aHangingRuntimeIsAbandoned(@TempDir Path folder) throws IOException {
        Path hanging = program(folder, "exec sleep 1000");

        assertThat(why(OciRuntime.search(Isolation.CONTAINER, Optional.of(hanging.toString()), Duration.ofMillis(300))))
                .isEqualTo(hanging + " does not say its version: it had not answered after 300 ms");
    }

    @Test
    void aRuntimeThatIsMissingIsNamed(@TempDir Path folder) {
        String missing = folder.resolve("crun").toString();

        assertThat(why(OciRuntime.search(Isolation.CONTAINER, Optional.of(missing), Duration.ofSeconds(1))))
                .isEqualTo(missing + " is no program");
    }

    private static Path program(Path folder, String script) throws IOException {
        Path file = Files.writeString(folder.resolve("crun"), "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    private static String why(OciRuntime.Search search) {
        assertThat(search).isInstanceOf(OciRuntime.Missing.class);
        return ((OciRuntime.Missing) search).why();
    }
}
