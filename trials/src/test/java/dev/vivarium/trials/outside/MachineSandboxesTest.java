package dev.vivarium.trials.outside;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.trials.outside.MachineSandboxes.Attempt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineSandboxesTest {
    /** The first eight bytes of the SHA-256 of "abc" (FIPS 180-2, B.1). */
    private static final String MARK = "ba7816bf8f01cfea";

    private static final String NODE = "35971be6e9bb024a";
    private static final String RUN = "01m8qf8kyxp6zj95nhk0fs1z7p";
    private static final String SANDBOX = "01m8qf8m0hhbyr1xcrgehadyc3";

    @TempDir
    private Path folder;

    private Path state;
    private Path group;
    private MachineSandboxes sandboxes;

    @BeforeEach
    void machine() throws IOException {
        state = Files.createDirectories(folder.resolve("state"));
        Path hierarchies = folder.resolve("cgroup");
        Files.createDirectories(hierarchies.resolve("pids"));
        group = hierarchies.resolve("pids/vivarium").resolve(MARK).resolve(NODE).resolve(SANDBOX);
        sandboxes = new MachineSandboxes(state, hierarchies, "abc");
    }

    @Test
    void aMachineWithoutAnyHasNothingLeft() throws IOException {
        assertThat(sandboxes.left()).isEmpty();
        assertThat(sandboxes.processes()).isEmpty();
        assertThat(sandboxes.attempts()).isEmpty();
    }

    @Test
    void anAttemptHasTheProcessesOfItsSandbox() throws IOException {
        Path claims = Files.createDirectories(state.resolve(MARK).resolve("claims"));
        Files.createSymbolicLink(claims.resolve(RUN + "-2"), Path.of("..", NODE, SANDBOX));
        Files.createDirectories(group);
        Files.writeString(group.resolveSibling("cgroup.procs"), "");
        Files.writeString(group.resolve("cgroup.procs"), "4711\n4712\n");

        assertThat(sandboxes.attempts()).containsExactly(new Attempt(RUN, 2, List.of(4711L, 4712L)));
        assertThat(sandboxes.processes()).containsExactly(4711L, 4712L);
    }

    @Test
    void anEmptyControlGroupIsLeft() throws IOException {
        Files.createDirectories(group);

        assertThat(sandboxes.left()).containsExactly(SANDBOX);
        assertThat(sandboxes.processes()).isEmpty();
    }

    @Test
    void aFolderWithoutAControlGroupIsLeft() throws IOException {
        Files.createDirectories(state.resolve(MARK).resolve(NODE).resolve(SANDBOX));
        Files.createDirectories(state.resolve(MARK).resolve(NODE).resolve("runtime-0"));

        assertThat(sandboxes.left()).containsExactly(SANDBOX);
    }

    @Test
    void otherInstallationsAreNotCounted() throws IOException {
        Files.createDirectories(state.resolve("0000000000000000").resolve(NODE).resolve(SANDBOX));

        assertThat(sandboxes.left()).isEmpty();
    }
}
