package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxChannel;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@EachIsolation
class BackPressureTest {
    private static final String FLOOD =
            """
            import os
            block = b'x' * 65536
            while True:
                os.write(1, block)
            """;

    @RegisterExtension
    final TestSandboxes sandboxes;

    BackPressureTest(Isolation isolation) {
        sandboxes = new TestSandboxes(isolation);
    }

    @Test
    void outputStopsUntilTheListenerConfirms() {
        // given
        SandboxId id = newId();
        RecordingListener heard = new RecordingListener();
        SandboxChannel channel = outcome(
                        sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), heard))
                .channel();
        int framesMax = sandboxes.config().unconfirmedFramesMax();

        // when
        channel.send(flood(id));

        // then
        Awaitility.await().until(() -> heard.frames().size() == framesMax);
        Awaitility.await()
                .during(Duration.ofMillis(300))
                .until(() -> heard.frames().size() == framesMax);
        long heldBytes = heard.outputBytes();
        assertThat(heldBytes).isLessThanOrEqualTo(framesMax * 65_536L);

        heard.confirmOn(channel);
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> heard.outputBytes() > 32L << 20);
        outcome(sandboxes.driver().destroy(id));
        heard.awaitClosed();
    }

    @Test
    void killAllReachesASandboxWhoseOutputIsNotRead() {
        SandboxId id = newId();
        RecordingListener heard = new RecordingListener();
        SandboxChannel channel = outcome(
                        sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), heard))
                .channel();
        channel.send(flood(id));
        Awaitility.await()
                .until(() -> heard.frames().size() == sandboxes.config().unconfirmedFramesMax());

        channel.send(new NodeFrame.KillAll(0));

        Awaitility.await().until(() -> outcome(sandboxes.driver().sample(id)).pids() == 1);
        heard.confirmOn(channel);
        heard.await(GuestFrame.AllGone.class);
        outcome(sandboxes.driver().destroy(id));
    }

    @Test
    void closingUnblocksAChannelThatWaitsForConfirmation() {
        SandboxId id = newId();
        RecordingListener heard = new RecordingListener();
        SandboxChannel channel = outcome(
                        sandboxes.driver().create(id, sandboxes.template(), new Purpose.ToWait(), heard))
                .channel();
        channel.send(flood(id));
        Awaitility.await()
                .until(() -> heard.frames().size() == sandboxes.config().unconfirmedFramesMax());

        channel.close();

        heard.awaitClosed();
        outcome(sandboxes.driver().destroy(id));
    }

    @Test
    void aLargeFileIsWrittenAndReadBackUnchanged() {
        Live sandbox = sandboxes.create();
        byte[] part = new byte[1 << 19];
        for (int index = 0; index < 16; index++) {
            Arrays.fill(part, (byte) index);
            sandbox.channel()
                    .send(new NodeFrame.WriteFile(
                            index + 1,
                            "/workspace/large",
                            0644,
                            sandbox.id().agentUid(),
                            sandbox.id().agentUid(),
                            (long) index * part.length,
                            Blob.of(part)));
        }

        String sum = sandbox.python(
                1,
                """
                data = open('/workspace/large', 'rb').read()
                print(len(data), sum(data))
                """);

        assertThat(sum).isEqualTo((16 << 19) + " " + (long) (15 * 16 / 2) * part.length);
        sandboxes.destroy(sandbox);
    }

    private static NodeFrame flood(SandboxId id) {
        return new NodeFrame.Spawn(
                1,
                List.of("python3", "-c", FLOOD),
                Map.of("PATH", "/usr/bin"),
                "/workspace",
                id.agentUid(),
                id.agentUid(),
                Map.of(),
                Optional.empty(),
                Integer.MAX_VALUE);
    }
}
