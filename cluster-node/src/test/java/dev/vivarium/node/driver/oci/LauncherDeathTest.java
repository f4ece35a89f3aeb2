package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The launcher or a runtime may die at any moment during the creation of a sandbox without leaving anything behind. */
@Tag("long")
class LauncherDeathTest {
    private static final int TRIES = 12;
    private static final long STEP_NANOS = 2_500_000;

    @RegisterExtension
    final OciSandboxes sandboxes = new OciSandboxes(Isolation.CONTAINER);

    @Test
    void sandboxesOutliveTheirLauncherAndTheNextOneEndsThem() {
        RecordingListener heard = new RecordingListener();
        SandboxId id = newId();
        SandboxHandle made = outcome(sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), heard));
        heard.confirmOn(made.channel());

        launchers().forEach(ProcessHandle::destroyForcibly);
        Awaitility.await().until(() -> launchers().isEmpty());

        made.channel().send(new NodeFrame.Ping(7));
        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
        SandboxId next = newId();
        outcome(sandboxes.driver().create(next, sandboxes.template(), new Purpose.ToWait(), new RecordingListener()));
        outcome(sandboxes.driver().destroy(id));
        outcome(sandboxes.driver().destroy(next));

        // It has been reparented to the host's init, which may reap it late.
        Awaitility.await().until(() -> !made.initProcess().orElseThrow().isAlive());
        assertThat(OciSandboxes.left(sandboxes.config())).isEmpty();
    }

    /** It would be asked for ever, since it does not end. */
    @Test
    void aLauncherThatHangsIsReplaced() throws IOException {
        RecordingListener heard = new RecordingListener();
        SandboxId id = newId();
        SandboxHandle made = outcome(sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), heard));
        heard.confirmOn(made.channel());
        ProcessHandle hanging = launchers().get(0);
        new ProcessBuilder("kill", "-STOP", Long.toString(hanging.pid()))
                .start()
                .onExit()
                .join();

        outcome(sandboxes.driver().destroy(id));

        assertThat(hanging.isAlive()).isFalse();
        assertThat(OciSandboxes.left(sandboxes.config())).isEmpty();
    }

    @Test
    void aLauncherKilledDuringCreationLeavesNothing() {
        assertKillDuringCreationLeavesNothing(() -> launchers().forEach(ProcessHandle::destroyForcibly));
    }

    @Test
    void aRuntimeKilledDuringCreationLeavesNothing() {
        assertKillDuringCreationLeavesNothing(
                () -> launchers().stream().flatMap(ProcessHandle::descendants).forEach(ProcessHandle::destroyForcibly));
    }

    private void assertKillDuringCreationLeavesNothing(Runnable kill) {
        for (int attempt = 0; attempt < TRIES; attempt++) {
            SandboxId id = newId();
            CompletionStage<SandboxHandle> making =
                    sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), new RecordingListener());
            CompletableFuture<Void> killed = CompletableFuture.runAsync(
                    kill, CompletableFuture.delayedExecutor(attempt * STEP_NANOS, TimeUnit.NANOSECONDS));
            killed.join();
            try {
                outcome(making);
            } catch (CompletionException refused) {
                assertThat(refused.getCause()).isInstanceOf(DriverException.class);
            }
            outcome(sandboxes.driver().destroy(id));

            assertThat(OciSandboxes.left(sandboxes.config()))
                    .as("after try " + attempt)
                    .isEmpty();
            // A killed runtime ends when the kernel gives it a processor.
            await("after try " + attempt)
                    .untilAsserted(() -> assertThat(processes(id)).isEmpty());
        }
    }

    /** The launchers of this test's driver. */
    private List<ProcessHandle> launchers() {
        String mark = StateFolder.mark(sandboxes.config().engine().installation());
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info()
                        .commandLine()
                        .filter(line -> line.contains("vivarium-launch") && line.contains(mark))
                        .isPresent())
                .toList();
    }

    private static List<ProcessHandle> processes(SandboxId id) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info()
                        .commandLine()
                        .filter(line -> line.contains(id.value()))
                        .isPresent())
                .toList();
    }

    private static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }
}
