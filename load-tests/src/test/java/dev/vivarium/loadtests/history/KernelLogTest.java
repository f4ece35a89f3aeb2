package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.subject.OciFolders;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The folders are files of the test, which stand for those of the driver and of the kernel. */
@Timeout(60)
class KernelLogTest {
    private static final String RUN = "01jdvwxyz0123456789abcdefg";
    private static final String ID = "01jdvwxyz0123456789abcdeff";
    private static final Set<String> RUNS = Set.of(RUN);

    @TempDir
    private Path folder;

    private interface Wanted {
        boolean isSeen() throws IOException;
    }

    @Test
    void aSandboxLivesWhileItsControlGroupHasAProcess() throws IOException {
        OciFolders machine = new OciFolders(folder);
        try (KernelLog log = new KernelLog(machine.records())) {
            machine.claim(RUN, 2, ID, "node-1");
            Instant claimed = Instant.now();
            machine.processes(ID, "4711");
            await(() -> !log.sandboxes(RUNS).isEmpty());
            SandboxLife alive = log.sandboxes(RUNS).get(0);
            assertThat(alive.attempt()).isEqualTo(2);
            assertThat(alive.node()).isEqualTo("node-1");
            assertThat(alive.started()).isAfter(claimed);
            assertThat(alive.earliest()).isBefore(alive.started());
            assertThat(alive.ended()).isEmpty();

            Instant emptied = Instant.now();
            machine.processes(ID, "");
            await(() -> log.sandboxes(RUNS).get(0).ended().isPresent());
            SandboxLife dead = log.sandboxes(RUNS).get(0);
            assertThat(dead.latest().orElseThrow()).isAfter(emptied);
            assertThat(dead.ended().orElseThrow()).isBefore(dead.latest().orElseThrow());
            // Its files are there, and so it is not removed.
            assertThat(log.removed(dead)).isEmpty();
            assertThat(log.left(RUNS)).isNotEmpty();

            machine.remove(RUN, 2, ID);
            await(() -> log.removed(dead).isPresent());
            assertThat(log.left(RUNS)).isEmpty();
        }
    }

    @Test
    void aSandboxThatOutlivesItsLinkIsAlive() throws IOException {
        OciFolders machine = new OciFolders(folder);
        try (KernelLog log = new KernelLog(machine.records())) {
            machine.claim(RUN, 1, ID, "node-1");
            machine.processes(ID, "4711");
            await(() -> !log.sandboxes(RUNS).isEmpty());
            machine.removeLink(RUN, 1);
            await(() -> log.removed(log.sandboxes(RUNS).get(0)).isPresent());

            assertThat(log.sandboxes(RUNS)).extracting(SandboxLife::ended).isEqualTo(List.of(Optional.empty()));
        }
    }

    @Test
    void otherInstallationsAreNotMixedIn() throws IOException {
        OciFolders machine = new OciFolders(folder);
        try (KernelLog log = new KernelLog(machine.records())) {
            machine.claim(RUN, 1, ID, "node-1");
            machine.processes(ID, "4711");
            await(() -> !log.sandboxes(RUNS).isEmpty());

            assertThat(log.sandboxes(Set.of("01jdvwxyz0123456789abcdefh"))).isEmpty();
            assertThat(log.left(Set.of("01jdvwxyz0123456789abcdefh"))).isEmpty();
        }
    }

    private static void await(Wanted wanted) throws IOException {
        while (!wanted.isSeen()) {
            Thread.onSpinWait();
        }
    }
}
