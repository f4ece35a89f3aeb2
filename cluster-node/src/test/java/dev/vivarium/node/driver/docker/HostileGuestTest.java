package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.ChannelListener.ClosedBecause;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.guest.GuestChannel;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.GuestFrame.AllGone;
import dev.vivarium.protocol.guest.GuestFrame.Done;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.Hello;
import dev.vivarium.protocol.guest.GuestFrame.Output;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.GuestFrame.Signaled;
import dev.vivarium.protocol.guest.GuestFrame.SpawnFailed;
import dev.vivarium.protocol.guest.GuestFrame.Spawned;
import dev.vivarium.protocol.guest.GuestFrame.Stage;
import dev.vivarium.protocol.guest.GuestFrame.StdinCredit;
import dev.vivarium.protocol.guest.GuestFrame.Use;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.TerminalSize;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The channel to a guest that an agent has taken over: its frames are refused with a sentence, or do no harm. */
class HostileGuestTest {
    private static final int WINDOW_BYTES = 100;
    private static final DockerDriverConfig CONFIG = TestSandboxes.config("hostile-guest", "node-1");

    private final ScriptedGuest guest = new ScriptedGuest();
    private final RecordingListener heard = new RecordingListener();
    private final GuestChannel channel = new GuestChannel(
            TestSandboxes.newId(),
            guest,
            new EngineStream(),
            CONFIG.channel(),
            heard,
            () -> CompletableFuture.completedFuture(new ClosedBecause(Cause.SANDBOX_ENDED, "The guest has exited.")));

    /** Everything that the node sends in this test: process 1, process 2 on a terminal, a file, a ping, the end. */
    private static final List<NodeFrame> ASKED = List.of(
            spawn(1, Optional.empty()),
            spawn(2, Optional.of(new TerminalSize(24, 80))),
            new NodeFrame.WriteFile(7, "/workspace/f", 0644, 1, 1, 0, Blob.EMPTY),
            new NodeFrame.Ping(8),
            new NodeFrame.KillAll(0));

    private static final List<GuestFrame> HONEST = List.of(
            new Done(7, 0),
            new Pong(8),
            new Use(Limit.DISK, 0, Pressure.NONE),
            new Spawned(1, 10),
            new StdinCredit(1, 65_536),
            output(1, Stream.STDOUT, WINDOW_BYTES),
            output(1, Stream.STDERR, 1),
            new Spawned(2, 11),
            output(2, Stream.STDOUT, 1),
            new Exited(1, 0),
            new OutputClosed(1, Stream.STDOUT),
            new OutputClosed(1, Stream.STDERR),
            new StdinCredit(1, 1),
            new OutputClosed(2, Stream.STDOUT),
            new Signaled(2, 9),
            new AllGone());

    @Test
    void everyFrameOfAnHonestGuestIsDelivered() {
        begin(ASKED);
        guest.say(HONEST.toArray(GuestFrame[]::new)).end();

        assertThat(heard.awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
        assertThat(heard.frames()).isEqualTo(HONEST);
    }

    @Test
    void requestNumbersMayBeReusedAfterTheirAnswers() {
        begin(ASKED);
        guest.say(HONEST.toArray(GuestFrame[]::new));
        heard.await(AllGone.class);
        ASKED.forEach(channel::send);
        guest.say(HONEST.toArray(GuestFrame[]::new)).end();

        assertThat(heard.awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
        assertThat(heard.frames()).hasSize(2 * HONEST.size());
    }

    @Test
    void severalKillAllsMayHaveOneOrMoreAnswers() {
        begin(List.of(new NodeFrame.KillAll(9), new NodeFrame.KillAll(0), new NodeFrame.KillAll(0)));
        guest.say(new AllGone(), new AllGone()).end();

        assertThat(heard.awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void aFrameThatNoHonestGuestSendsEndsTheChannel(String sentence, List<GuestFrame> frames) {
        begin(ASKED);
        guest.say(frames.toArray(GuestFrame[]::new)).end();

        ClosedBecause why = heard.awaitClosed();
        assertThat(why.cause()).isEqualTo(Cause.PROTOCOL_VIOLATED);
        assertThat(why.detail()).contains(sentence);
        assertThat(heard.frames()).as("all but the last").isEqualTo(frames.subList(0, frames.size() - 1));
    }

    static List<Arguments> lies() {
        Spawned started = new Spawned(1, 10);
        return List.of(
                lie("greeted twice", new Hello(GuestCodec.PROTOCOL_VERSION)),
                lie("process 9, which was not requested", new Spawned(9, 10)),
                lie("process 1, which was not requested", started, started),
                lie("failed to start process 9", new SpawnFailed(9, Stage.EXEC, 2)),
                lie("failed to start process 1", started, new SpawnFailed(1, Stage.EXEC, 2)),
                lie("stream that is not open", output(9, Stream.STDOUT, 1)),
                lie("stream that is not open", output(1, Stream.STDOUT, 1)),
                lie("stream that is not open", new Spawned(2, 11), output(2, Stream.STDERR, 1)),
                lie(
                        "stream that is not open",
                        started,
                        new OutputClosed(1, Stream.STDOUT),
                        output(1, Stream.STDOUT, 1)),
                lie("more output than it had credit", started, output(1, Stream.STDOUT, WINDOW_BYTES + 1)),
                lie(
                        "more output than it had credit",
                        started,
                        output(1, Stream.STDERR, WINDOW_BYTES),
                        output(1, Stream.STDERR, 1)),
                lie("closed a stream", new OutputClosed(1, Stream.STDOUT)),
                lie("closed a stream", started, new OutputClosed(1, Stream.STDOUT), new OutputClosed(1, Stream.STDOUT)),
                lie("end of process 1", new Exited(1, 0)),
                lie("end of process 1", started, new Exited(1, 0), new Exited(1, 0)),
                lie("end of process 1", started, new Exited(1, 0), new Signaled(1, 9)),
                lie("file request 8", new Done(8, 0)),
                lie("file request 7", new Done(7, 0), new Done(7, 0)),
                lie("ping 7", new Pong(7)),
                lie("all processes are gone", started, new AllGone()),
                lie("all processes are gone", new AllGone(), new AllGone()));
    }

    @Test
    void aNumberInUseIsNotGivenToASecondProcess() {
        begin(ASKED);

        assertThatThrownBy(() -> channel.send(spawn(1, Optional.empty())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Process 1 has not ended yet");
        channel.close();
    }

    /** Whatever bytes arrive, the channel ends for one of two reasons, never because the node itself failed. */
    @Test
    void malformedBytesOnlyEndTheChannel() {
        for (int seed = 0; seed < 300; seed++) {
            Random damage = new Random(seed);
            ScriptedGuest broken = new ScriptedGuest();
            RecordingListener hearing = new RecordingListener();
            GuestChannel damaged = new GuestChannel(
                    TestSandboxes.newId(),
                    broken,
                    new EngineStream(),
                    CONFIG.channel(),
                    hearing,
                    () -> CompletableFuture.completedFuture(
                            new ClosedBecause(Cause.SANDBOX_ENDED, "The guest has exited.")));
            hearing.confirmOn(damaged);
            ASKED.forEach(damaged::send);
            damaged.open();
            broken.say(new Hello(GuestCodec.PROTOCOL_VERSION));
            damaged.greeted().join();
            broken.say(seed % 3 == 0 ? noise(damage) : mutated(damage)).end();

            assertThat(hearing.awaitClosed().cause())
                    .as("seed %d: %s", seed, hearing.awaitClosed().detail())
                    .isIn(Cause.PROTOCOL_VIOLATED, Cause.SANDBOX_ENDED);
            assertThat(hearing.frames()).as("seed %d", seed).hasSizeLessThanOrEqualTo(2 * HONEST.size());
        }
    }

    @Test
    void aGuestOfAnotherVersionIsRefusedWithASentenceThatNamesBoth() {
        channel.open();
        guest.say(new Hello(1));

        assertThat(channel.greeted())
                .failsWithin(Duration.ofSeconds(10))
                .withThrowableOfType(ExecutionException.class)
                .withMessageContaining(
                        "speaks version 1 of the protocol and the node version " + GuestCodec.PROTOCOL_VERSION)
                .withMessageContaining("not the one that came with this node");
    }

    @Test
    void aFloodOfUnsolicitedFramesWaitsForTheListener() {
        channel.open();
        guest.say(new Hello(GuestCodec.PROTOCOL_VERSION));
        channel.greeted().join();
        Use news = new Use(Limit.DISK, 1, Pressure.NONE);
        GuestFrame[] flood = new GuestFrame[100_000];
        Arrays.fill(flood, news);
        guest.say(flood);

        int framesMax = CONFIG.unconfirmedFramesMax();
        Awaitility.await().until(() -> heard.frames().size() == framesMax);
        Awaitility.await()
                .during(Duration.ofMillis(200))
                .until(() -> heard.frames().size() == framesMax);
        // The delivered frames, and one buffer of the connection.
        assertThat(guest.bytesRead()).isLessThan((long) ScriptedGuest.bytes(news).length * framesMax + 16_384);
        channel.close();
        assertThat(heard.awaitClosed().cause()).isEqualTo(Cause.CLOSED_HERE);
    }

    private void begin(List<NodeFrame> asked) {
        heard.confirmOn(channel);
        asked.forEach(channel::send);
        channel.open();
        guest.say(new Hello(GuestCodec.PROTOCOL_VERSION));
        channel.greeted().join();
    }

    private static byte[] noise(Random damage) {
        byte[] bytes = new byte[damage.nextInt(4096)];
        damage.nextBytes(bytes);
        return bytes;
    }

    /** Frames in any order, some of them twice, with some bits flipped. */
    private static byte[] mutated(Random damage) {
        List<GuestFrame> frames = new ArrayList<>(HONEST);
        for (int change = damage.nextInt(6); change > 0; change--) {
            GuestFrame moved = frames.remove(damage.nextInt(frames.size()));
            frames.add(damage.nextInt(frames.size()), moved);
            frames.add(damage.nextInt(frames.size()), frames.get(damage.nextInt(frames.size())));
        }
        byte[] bytes = ScriptedGuest.bytes(frames.toArray(GuestFrame[]::new));
        for (int change = damage.nextInt(3); change > 0; change--) {
            bytes[damage.nextInt(bytes.length)] ^= (byte) (1 << damage.nextInt(8));
        }
        return bytes;
    }

    private static NodeFrame.Spawn spawn(int process, Optional<TerminalSize> terminal) {
        return new NodeFrame.Spawn(
                process, List.of("agent"), Map.of(), "/workspace", 1, 1, Map.of(), terminal, WINDOW_BYTES);
    }

    private static Output output(int process, Stream stream, int bytes) {
        return new Output(process, stream, Blob.of(new byte[bytes]));
    }

    private static Arguments lie(String sentence, GuestFrame... frames) {
        return arguments(sentence, List.of(frames));
    }
}
