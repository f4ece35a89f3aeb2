package dev.vivarium.trials.outside;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.trials.outside.OciRecords.Claimed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OciRecordsTest {
    /** The first eight bytes of the SHA-256 of "abc" (FIPS 180-2, B.1). */
    private static final String MARK = "ba7816bf8f01cfea";

    private static final String NODE = "35971be6e9bb024a";
    private static final String RUN = "01m8qf8kyxp6zj95nhk0fs1z7p";
    private static final String SANDBOX = "01m8qf8m0hhbyr1xcrgehadyc3";

    @TempDir
    private Path folder;

    private Path state;
    private Path group;
    private OciRecords records;

    @BeforeEach
    void machine() throws IOException {
        state = Files.createDirectories(folder.resolve("state"));
        Path hierarchies = folder.resolve("cgroup");
        Files.createDirectories(hierarchies.resolve("pids"));
        group = hierarchies.resolve("pids/vivarium").resolve(MARK).resolve(NODE).resolve(SANDBOX);
        records = new OciRecords(state, hierarchies);
    }

    @Test
    void anInstallationHasAMarkInPaths() {
        assertThat(OciRecords.mark("abc")).isEqualTo(MARK);
    }

    @Test
    void aMachineWithoutAnyHasNothingLeft() throws IOException {
        assertThat(records.sandboxes(MARK)).isEmpty();
        assertThat(records.processes(MARK)).isEmpty();
        assertThat(records.claims(MARK)).isEmpty();
    }

    @Test
    void anAttemptHasTheProcessesOfItsSandbox() throws IOException {
        Path claims = Files.createDirectories(state.resolve(MARK).resolve("claims"));
        Files.createSymbolicLink(claims.resolve(RUN + "-2"), Path.of("..", NODE, SANDBOX));
        Files.createDirectories(group);
        Files.writeString(group.resolveSibling("cgroup.procs"), "");
        Files.writeString(group.resolve("cgroup.procs"), "4711\n4712\n");

        Claimed claim = new Claimed(MARK, NODE, SANDBOX, RUN, 2);
        assertThat(records.claims(MARK)).containsExactly(claim);
        assertThat(records.processes(claim)).containsExactly(4711L, 4712L);
        assertThat(records.processes(MARK)).containsExactly(4711L, 4712L);
    }

    @Test
    void anEmptyControlGroupIsLeft() throws IOException {
        Files.createDirectories(group);

        assertThat(records.sandboxes(MARK)).containsExactly(SANDBOX);
        assertThat(records.processes(MARK)).isEmpty();
    }

    @Test
    void aFolderWithoutAControlGroupIsLeft() throws IOException {
        Files.createDirectories(state.resolve(MARK).resolve(NODE).resolve(SANDBOX));
        Files.createDirectories(state.resolve(MARK).resolve(NODE).resolve("runtime-0"));

        assertThat(records.sandboxes(MARK)).containsExactly(SANDBOX);
    }

    @Test
    void otherInstallationsAreNotCounted() throws IOException {
        Files.createDirectories(state.resolve("0000000000000000").resolve(NODE).resolve(SANDBOX));

        assertThat(records.sandboxes(MARK)).isEmpty();
    }
}
