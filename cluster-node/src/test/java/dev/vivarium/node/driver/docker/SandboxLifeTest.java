package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.driver.linux.ContainerProcesses;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From the creation of a sandbox to its end, whatever made it. */
@SandboxKind.Each
class SandboxLifeTest {
    @RegisterExtension
    final TestSandboxes sandboxes;

    SandboxLifeTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @Test
    void selectPollAndEpollWork() {
        TestSandboxes.Live sandbox = sandboxes.create();

        assertThat(
                        sandbox.python(
                                1,
                                """
                        import asyncio, os, select
                        end, other = os.pipe()
                        os.write(other, b'x')
                        poll, epoll = select.poll(), select.epoll()
                        poll.register(end, select.POLLIN)
                        epoll.register(end, select.EPOLLIN)
                        print(select.select([end], [], [], 1)[0] == [end], len(poll.poll(1)), len(epoll.poll(1)))
                        asyncio.run(asyncio.sleep(0.001))
                        """))
                .isEqualTo("True 1 1");
        sandboxes.destroy(sandbox);
    }

    @Test
    void outputOfAProcessInAFreshSandboxReachesTheListener() {
        // given
        Live sandbox = sandboxes.create();

        // when
        String printed = sandbox.python(1, "import sys; print('hello'); print('oops', file=sys.stderr)");

        // then
        assertThat(printed).isEqualTo("hello");
        assertThat(sandbox.heard().output(1, NodeFrame.Stream.STDERR)).isEqualTo("oops\n");
        assertThat(sandbox.heard().first(GuestFrame.Hello.class)).isEmpty();
        sandboxes.destroy(sandbox);
        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.CLOSED_HERE);
    }

    @Test
    void aSandboxIsGoneWhenDestroyCompletes() {
        Live sandbox = sandboxes.create();
        sandbox.start(1, "python3", "-c", "import time; time.sleep(1000)");
        sandbox.heard().await(GuestFrame.Spawned.class);
        assertThat(sandboxes.left()).isNotEmpty();

        sandboxes.destroy(sandbox);

        assertThat(sandboxes.left()).isEmpty();
        assertThatCode(() -> sandboxes.destroy(sandbox)).doesNotThrowAnyException();
        assertThatCode(() -> outcome(sandboxes.driver().destroy(newId()))).doesNotThrowAnyException();
    }

    @Test
    void concurrentDestroysOfOneSandboxAllCompleteWhenItIsGone() {
        Live sandbox = sandboxes.create();

        List<CompletionStage<?>> answers = new ArrayList<>();
        for (int call = 0; call < 8; call++) {
            answers.add(sandboxes.driver().destroy(sandbox.id()));
        }

        answers.forEach(TestSandboxes::outcome);
        assertThat(sandboxes.left()).isEmpty();
    }

    @Test
    void aSandboxDestroyedDuringCreationLeavesNothing() {
        SandboxId id = newId();
        CompletionStage<?> creation =
                sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), new RecordingListener());

        outcome(sandboxes.driver().destroy(id));

        assertThat(sandboxes.left()).isEmpty();
        assertThat(failure(creation).kind()).isIn(Kind.SANDBOX_UNKNOWN, Kind.GUEST_SILENT);
    }

    @Test
    void theGuestsOwnClockEndsTheSandbox() {
        Live sandbox = sandboxes.create();
        sandbox.start(1, "python3", "-c", "import time; time.sleep(1000)");

        sandbox.channel().send(new NodeFrame.Arm(100));

        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
        sandboxes.destroy(sandbox);
        assertThat(sandboxes.left()).isEmpty();
    }

    @Test
    void sandboxesCreatedConcurrentlyReceiveOnlyTheirOwnFrames() {
        List<Live> live = new ArrayList<>();
        List<CompletionStage<?>> creations = new ArrayList<>();
        for (int count = 0; count < 6; count++) {
            SandboxId id = newId();
            RecordingListener heard = new RecordingListener();
            creations.add(sandboxes
                    .driver()
                    .create(id, sandboxes.template(), new Purpose.ToWait(), heard)
                    .thenApply(SandboxHandle::channel)
                    .thenAccept(channel -> {
                        heard.confirmOn(channel);
                        synchronized (live) {
                            live.add(new Live(id, channel, heard));
                        }
                    }));
        }
        creations.forEach(TestSandboxes::outcome);

        for (int index = 0; index < live.size(); index++) {
            live.get(index).start(1, "python3", "-c", "print('I am " + index + "')");
        }

        for (int index = 0; index < live.size(); index++) {
            assertThat(live.get(index).heard().awaitEnd(1)).isZero();
            assertThat(live.get(index).heard().output(1, NodeFrame.Stream.STDOUT))
                    .isEqualTo("I am " + index + "\n");
            sandboxes.destroy(live.get(index));
        }
    }

    /** An agent may have stopped its guest, or its sandbox's own kernel. */
    @Test
    void aHangingSandboxIsDestroyed() throws Exception {
        Live sandbox = sandboxes.create();
        sandbox.start(1, "python3", "-c", "import time; time.sleep(1000)");
        sandbox.heard().await(GuestFrame.Spawned.class);
        String group = sandboxes.group(sandbox);
        ContainerProcesses processes = new ContainerProcesses(Path.of("/proc"));
        for (long pid : processes.in(group)) {
            new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
        }

        sandboxes.destroy(sandbox);

        assertThat(sandboxes.left()).isEmpty();
        assertThat(processes.in(group)).isEmpty();
    }
}
