package dev.vivarium.node.guest;

import static dev.vivarium.node.guest.TestGuest.sh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame.AllGone;
import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.GuestFrame.Signaled;
import dev.vivarium.protocol.guest.GuestFrame.SpawnFailed;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.KillAll;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How processes and guests end: on request, by the clock, by the dead-man's switch, by a protocol violation. */
class GuestEndTest {
    private static final int UNFIT = 83;
    private static final int DEADLINE = 84;
    private static final int CHANNEL = 85;
    private static final int PROTOCOL = 86;
    private static final int ECANCELED = 125;

    /** A stubborn process: it ignores SIGTERM and has children that left its group and its session. */
    private static final String STUBBORN =
            "trap '' TERM HUP INT; (setsid sh -c \"trap '' TERM; while :; do sleep 1000; done\" &);"
                    + " echo ready; while :; do sleep 1000; done";

    private TestGuest guest = TestGuest.start();

    @AfterEach
    void end() {
        guest.close();
    }

    @Test
    void killAllWithoutProcessesAnswersImmediately() {
        guest.send(new KillAll(60_000));

        guest.await(AllGone.class);
    }

    @Test
    void aProcessThatHandlesSigtermMayCleanUp() {
        guest.send(sh(1, "trap 'echo tidy; exit 5' TERM; echo ready; while :; do sleep 0.01; done"));
        guest.awaitText(1, "ready");
        guest.send(new KillAll(60_000));

        guest.await(AllGone.class);
        assertThat(guest.awaitExit(1).exitCode()).isEqualTo(5);
        assertThat(guest.stdoutOf(1)).isEqualTo("ready\ntidy\n");
    }

    @Test
    void aRunThatIgnoresSigtermIsGoneAfterItsGraceWithItsDaemons() {
        guest.send(sh(1, STUBBORN));
        guest.awaitText(1, "ready");
        Instant asked = Instant.now();
        guest.send(new KillAll(300));

        guest.await(AllGone.class);
        assertThat(Duration.between(asked, Instant.now())).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, 9));
        assertThat(guest.processes()).as("unshare's child, the guest").hasSize(1);
    }

    @Test
    void aStoppedProcessReceivesSigtermAndEnds() {
        guest.send(sh(1, "trap 'echo woke; exit 6' TERM; echo ready; kill -STOP $$; echo continued"));
        guest.awaitText(1, "ready");
        guest.send(new KillAll(60_000));

        guest.await(AllGone.class);
        assertThat(guest.awaitExit(1).exitCode()).isEqualTo(6);
    }

    @Test
    void aStoppedProcessThatIgnoresSigtermIsGoneAfterItsGrace() {
        guest.send(sh(1, "trap '' TERM; echo ready; while :; do kill -STOP $$; done"));
        guest.awaitText(1, "ready");
        guest.send(new KillAll(50));

        guest.await(AllGone.class);
        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, 9));
    }

    @Test
    void aSecondKillAllShortensTheGraceAndNeverExtendsIt() {
        guest.send(sh(1, STUBBORN));
        guest.awaitText(1, "ready");
        guest.send(new KillAll(3_600_000), new KillAll(10), new KillAll(3_600_000));

        guest.await(AllGone.class);
        guest.send(new NodeFrame.Ping(1));
        guest.await(Pong.class);
        assertThat(guest.give(AllGone.class, frame -> true))
                .as("one answer to all three")
                .isEmpty();
    }

    @Test
    void noProcessIsStartedDuringKillAll() {
        guest.send(sh(1, STUBBORN));
        guest.awaitText(1, "ready");
        guest.send(new KillAll(500), sh(2, "true"));

        assertThat(guest.await(SpawnFailed.class).errno()).isEqualTo(ECANCELED);
        guest.await(AllGone.class);
        assertThat(guest.run(3, "echo fresh")).isEqualTo("fresh");
    }

    @Test
    void aForkBombIsGoneAndLeavesNoZombie() {
        guest.send(sh(
                1,
                "trap '' TERM; f() { if [ $1 -gt 0 ]; then f $(($1-1)) & f $(($1-1)) & wait;"
                        + " else while :; do (:) done; fi; }; f 6"));
        TestGuest.waiting("a crowd").until(() -> guest.processes().size() > 100);
        guest.send(new KillAll(100));

        guest.await(AllGone.class);
        assertThat(guest.processes()).as("unshare's child, the guest").hasSize(1);
        assertThat(guest.run(2, "set -- /proc/[0-9]*; echo $#")).isEqualTo("2");
    }

    @Test
    void outputInThePipesIsSentBeforeAllGone() {
        guest.send(new SpawnBuilder(1, "sh", "-c", "printf 123456; echo ready >&2; sleep 1000")
                .windowBytes(6)
                .build());
        TestGuest.waiting("stderr").until(() -> guest.text(1, Stream.STDERR).equals("ready\n"));
        guest.send(new KillAll(0));

        guest.await(AllGone.class);
        assertThat(guest.give(OutputClosed.class, frame -> frame.stream() == Stream.STDOUT))
                .isPresent();
        assertThat(guest.give(OutputClosed.class, frame -> frame.stream() == Stream.STDERR))
                .isPresent();
        assertThat(guest.text(1, Stream.STDOUT)).isEqualTo("123456");
    }

    @Test
    void pipesWithoutCreditAreClosedSoonAfterTheLastProcess() {
        guest.send(new SpawnBuilder(1, "yes").windowBytes(10).build());
        guest.awaitOutputBytes(1, 10);
        guest.send(new KillAll(0));

        guest.await(AllGone.class);
        assertThat(guest.give(OutputClosed.class, frame -> frame.stream() == Stream.STDOUT))
                .isPresent();
        assertThat(guest.output(1, Stream.STDOUT)).hasSize(10);
    }

    @Test
    void whenTheChannelClosesEverythingEndsImmediately() {
        guest.send(sh(1, STUBBORN), new NodeFrame.Arm(3_600_000));
        guest.awaitText(1, "ready");
        TestGuest.waiting("the guest, two shells and a sleep")
                .until(() -> guest.processes().size() > 3);
        List<ProcessHandle> processes = guest.processes();
        guest.closeInput();

        assertThat(guest.exitCode()).isEqualTo(CHANNEL);
        TestGuest.waiting("all gone").until(() -> processes.stream().noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void processesThatForkFasterThanTheyAreListedAreKilledToo() {
        // Each starts a new session, ignores SIGTERM and lives until its child has done the same: eight at a time,
        // forever.
        guest.send(sh(
                1,
                "printf '#!/bin/sh\\ntrap \"\" TERM HUP\\nsetsid /tmp/rabbit &\\nexit' > /tmp/rabbit; chmod 755"
                        + " /tmp/rabbit; for i in 1 2 3 4 5 6 7 8; do /tmp/rabbit; done; echo running"));
        guest.awaitText(1, "running");
        guest.awaitExit(1);
        guest.send(new KillAll(20));

        guest.await(AllGone.class);
        assertThat(guest.processes()).as("unshare's child, the guest").hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void theSwitchWorksInEveryState(State state) {
        state.reach(guest);
        guest.closeInput();

        assertThat(guest.exitCode()).isEqualTo(CHANNEL);
    }

    @ParameterizedTest
    @EnumSource
    void theSecondClockWorksInEveryState(State state) {
        guest.send(new NodeFrame.Arm(700));
        state.reach(guest);

        assertThat(guest.exitCode()).isEqualTo(DEADLINE);
    }

    /** What a guest may be doing when its end comes. */
    private enum State {
        WAITING {
            @Override
            void reach(TestGuest guest) {
                guest.send(new NodeFrame.Ping(1)).await(Pong.class);
            }
        },
        /** The process blocks in its write, and its pipe is full. */
        OUT_OF_CREDIT {
            @Override
            void reach(TestGuest guest) {
                guest.send(new SpawnBuilder(1, "yes").windowBytes(10).build());
                guest.awaitOutputBytes(1, 10);
            }
        },
        IN_GRACE {
            @Override
            void reach(TestGuest guest) {
                guest.send(sh(1, STUBBORN));
                guest.awaitText(1, "ready");
                guest.send(new KillAll(Integer.MAX_VALUE), new NodeFrame.Ping(1))
                        .await(Pong.class);
            }
        },
        /** Input is pending that the process does not read. */
        INPUT_WAITING {
            @Override
            void reach(TestGuest guest) {
                guest.send(sh(1, "echo ready; sleep 1000"), new NodeFrame.Stdin(1, Blob.of(new byte[65_536])));
                guest.awaitText(1, "ready");
            }
        },
        ON_A_TERMINAL {
            @Override
            void reach(TestGuest guest) {
                guest.send(new SpawnBuilder(1, "yes")
                        .terminal(24, 80)
                        .windowBytes(10)
                        .build());
                guest.awaitOutputBytes(1, 10);
            }
        };

        abstract void reach(TestGuest guest);
    }

    @Test
    void theSwitchWorksAlthoughTheNodeReadsNothing() {
        guest.close();
        guest = TestGuest.startUnread("8m");
        guest.send(sh(1, "yes"), sh(2, STUBBORN));
        for (int i = 0; i < 100; i++) {
            guest.send(new NodeFrame.Ping(i));
        }
        guest.closeInput();

        assertThat(guest.exitCode()).isEqualTo(CHANNEL);
    }

    @Test
    void theSwitchWorksAlthoughInputWaitsBehindUnreadOutput() {
        guest.close();
        guest = TestGuest.startUnread("8m");
        guest.send(sh(1, "yes"));
        TestGuest.waiting("a channel that is full").until(() -> guest.isAsleepWith("yes"));
        ByteBuffer ping = GuestCodec.encode(new NodeFrame.Ping(1));
        // More answers than the guest can buffer, so it must stop reading, and few enough requests for the pipe.
        for (int i = 0; i < 5000; i++) {
            guest.sendRaw(ping.duplicate());
        }
        TestGuest.waiting("a guest that has stopped reading").until(() -> guest.isAsleepWith("yes"));
        guest.closeInput();

        assertThat(guest.exitCode()).isEqualTo(CHANNEL);
    }

    @Test
    void aNodeThatStopsReadingIsTreatedAsDead() throws IOException {
        guest.send(sh(1, "yes"));
        guest.awaitOutputBytes(1, 1000);
        guest.closeOutput();

        assertThat(guest.exitCode()).isEqualTo(CHANNEL);
    }

    @Test
    void theSecondClockEndsEverythingAlthoughTheNodeLives() {
        guest.send(sh(1, STUBBORN));
        guest.awaitText(1, "ready");
        guest.send(new NodeFrame.Arm(100));

        assertThat(guest.exitCode()).isEqualTo(DEADLINE);
    }

    @Test
    void theSecondClockEndsEverythingAlthoughTheNodeReadsNothing() {
        guest.close();
        guest = TestGuest.startUnread("8m");
        guest.send(sh(1, "yes"), new NodeFrame.Arm(100));

        assertThat(guest.exitCode()).isEqualTo(DEADLINE);
    }

    @Test
    void theLastDeadlineIsTheOneThatCounts() {
        guest.send(new NodeFrame.Arm(1000), new NodeFrame.Arm(Long.MAX_VALUE), sh(1, "sleep 1.1"));

        assertThat(guest.awaitExit(1)).isEqualTo(new Exited(1, 0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000000", // without a type
                "00100001", // beyond the limit
                "ffffffff", // far beyond
                "0000000100", // unknown type
                "000000010b", // unknown type
                "0000000181", // a frame of the guest
                "000000050000000001", // unknown type, about an existing process
                "000000050b00000001", // unknown type, about an existing process
                "000000090b00000001" + "00180050", // unknown type, in the shape of another
                "0000000581" + "00000001", // a frame of the guest
                "000000058a" + "00000009", // a frame of the guest, about no process
            })
    void invalidFramesEndTheGuest(String wire) {
        guest.send(sh(1, STUBBORN));
        guest.awaitText(1, "ready");
        guest.sendRaw(bytes(wire));

        assertThat(guest.exitCode()).isEqualTo(PROTOCOL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0000000401000000", // Arm cut short
                "0000000a01000000000000000100", // Arm with an extra byte
                "000000060600000001" + "00", // signal 0
                "000000060600000001" + "41", // signal 65
                "0000000a0800000001" + "02" + "00000001", // credit for a third stream
                "0000001f02000000010000000100000001000000010000000000000000" + "7fffffff" + "2f61", // a path of 2 GiB
                "0000001f02000000010000000100000001000000010000000000000000" + "00000002" + "2f00", // NUL in a path
                "0000001203" + "00000001000000010000000100000001" + "02", // terminal neither 0 nor 1
                "0000002703" + "00000001000000010000000100000001" + "00" + "00000000" + "00000001" + "2f" + "ffffffff"
                        + "00000000" + "00000000" + "00", // argv of 4 G words
                "0000002f03" + "00000001000000010000000100000001" + "00" + "00000000" + "00000001" + "2f" + "00000000"
                        + "00000000" + "00000001" + "07" + "0000000000000000", // unknown resource
            })
    void framesWhoseFieldsDoNotFitEndTheGuest(String wire) {
        guest.sendRaw(bytes(wire));

        assertThat(guest.exitCode()).isEqualTo(PROTOCOL);
    }

    @Test
    void stdinBeyondItsCreditEndsTheGuest() {
        guest.send(sh(1, "sleep 1000"), new NodeFrame.Stdin(1, Blob.of(new byte[65_537])));

        assertThat(guest.exitCode()).isEqualTo(PROTOCOL);
    }

    @Test
    void noiseNeverHangsTheGuestAndNeverCrashesIt() {
        for (int seed = 0; seed < 20; seed++) {
            try (TestGuest noisy = TestGuest.start()) {
                byte[] noise = new byte[2000];
                new Random(seed).nextBytes(noise);
                noisy.sendRaw(ByteBuffer.wrap(noise));

                assertThat(noisy.exitCode()).isEqualTo(PROTOCOL);
            }
        }
    }

    @Test
    void framesForUnknownProcessesAreIgnored() {
        guest.send(
                new NodeFrame.Stdin(9, Blob.ofUtf8("late")),
                new NodeFrame.CloseStdin(9),
                new NodeFrame.Signal(9, 15, NodeFrame.SignalScope.GROUP),
                new NodeFrame.Resize(9, new NodeFrame.TerminalSize(1, 1)),
                new NodeFrame.Credit(9, Stream.STDOUT, 1),
                new NodeFrame.Ping(3));

        assertThat(guest.await(Pong.class)).isEqualTo(new Pong(3));
    }

    @Test
    void aGuestThatIsNotTheFirstProcessRefusesToStart() throws Exception {
        Process process = TestGuest.launch(
                List.of(TestGuest.resource("/guest/vivarium-init").toString()));

        assertThat(process.waitFor()).isEqualTo(UNFIT);
    }

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    }
}
