package dev.vivarium.node.guest;

import static dev.vivarium.node.guest.TestGuest.AGENT;
import static dev.vivarium.node.guest.TestGuest.sh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.GuestFrame.Signaled;
import dev.vivarium.protocol.guest.GuestFrame.SpawnFailed;
import dev.vivarium.protocol.guest.GuestFrame.Spawned;
import dev.vivarium.protocol.guest.GuestFrame.Stage;
import dev.vivarium.protocol.guest.GuestFrame.StdinCredit;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.Resource;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.run.Blob;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How processes start, what they get, and how their ends are reported. */
class GuestProcessesTest {
    private static final int STDIN_WINDOW = 65_536;
    private static final int ENOENT = 2;
    private static final int ENOEXEC = 8;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;
    private static final int EEXIST = 17;
    private static final int ENOTDIR = 20;
    private static final int EINVAL = 22;

    private final TestGuest guest = TestGuest.start();

    @AfterEach
    void end() {
        guest.close();
    }

    @Test
    void aGuestAnswersPings() {
        guest.send(new NodeFrame.Ping(7));

        assertThat(guest.await(Pong.class)).isEqualTo(new Pong(7));
    }

    @Test
    void aProcessHasItsArgumentsItsDirectoryAndItsTwoStreams() {
        guest.send(new SpawnBuilder(1, "sh", "-c", "printf '<%s>' \"$@\"; pwd; echo wrong >&2", "sh", "a b", "", "é\n")
                .workdir("/tmp")
                .build());

        assertThat(guest.await(Spawned.class).pid()).isGreaterThan(1);
        assertThat(guest.stdoutOf(1)).isEqualTo("<a b><><é\n>/tmp\n");
        guest.await(OutputClosed.class, closed -> closed.stream() == Stream.STDERR);
        assertThat(guest.text(1, Stream.STDERR)).isEqualTo("wrong\n");
        assertThat(guest.awaitExit(1).exitCode()).isZero();
    }

    @Test
    void theEnvironmentIsWhatWasSentAndNothingElse() {
        Map<String, String> env = Map.of("A", "1", "EMPTY", "", "WITH_EQUALS", "a=b", "LINES", "x\ny");
        guest.send(new SpawnBuilder(1, "/usr/bin/env", "-0").env(env).build());

        Map<String, String> seen = new TreeMap<>();
        for (String variable : guest.stdoutOf(1).split("\0", 0)) {
            seen.put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        }
        assertThat(seen).isEqualTo(env);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 42, 127, 137, 255})
    void exitCodesAreReportedUnchanged(int code) {
        guest.send(sh(1, "exit " + code));

        assertThat(guest.await(Exited.class)).isEqualTo(new Exited(1, code));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6, 9, 11, 15})
    void deathBySignalIsDistinguishedFromExitCodes(int signal) {
        guest.send(sh(1, "ulimit -c 0; kill -" + signal + " $$"));

        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, signal));
    }

    @ParameterizedTest
    @CsvSource({
        "no-such-command, EXEC, " + ENOENT,
        "/no/such/command, EXEC, " + ENOENT,
        "'', EXEC, " + ENOENT,
        "/etc/passwd, EXEC, " + EACCES,
        "/etc, EXEC, " + EACCES,
        "/etc/passwd/x, EXEC, " + ENOTDIR,
    })
    void aCommandThatCannotRunIsReportedWithTheReason(String command, Stage stage, int errno) {
        guest.send(new SpawnBuilder(3, command).build());

        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(3, stage, errno));
        assertThat(guest.run(4, "echo next")).isEqualTo("next");
    }

    /** The kernel's errno is the same whether the program or its interpreter is missing. */
    @ParameterizedTest
    @CsvSource({
        "'#!/no/such/python\\necho', INTERPRETER, " + ENOENT,
        "'#!/bin/sh\\r\\necho', CARRIAGE_RETURN, " + ENOENT,
        "'\\177ELF\\2\\1\\1\\0%52s', ARCHITECTURE, " + ENOEXEC,
        "'no first line', EXEC, " + ENOEXEC,
    })
    void anExistingProgramThatCannotRunIsReportedWithTheReason(String content, Stage stage, int errno) {
        guest.run(1, "printf '" + content + "' x > /tmp/tool && chmod 755 /tmp/tool");

        guest.send(new SpawnBuilder(2, "/tmp/tool").build());
        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(2, stage, errno));

        guest.send(
                new SpawnBuilder(3, "tool").env(Map.of("PATH", "/nowhere:/tmp")).build());
        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(3, stage, errno));
    }

    @Test
    void aProcessReopensItsStreamsByTheirNames() {
        assertThat(guest.run(1, "echo one > /dev/stdout; echo two > /proc/self/fd/1; echo three >> /dev/fd/1"))
                .isEqualTo("one\ntwo\nthree");
    }

    @ParameterizedTest
    @CsvSource({"/no/such/place, " + ENOENT, "/etc/passwd, " + ENOTDIR, "/root/x, " + EACCES})
    void aDirectoryThatCannotBeEnteredIsReportedWithTheReason(String workdir, int errno) {
        guest.send(sh(1, "mkdir -m 700 /tmp/closed"));
        guest.awaitExit(1);
        String path = workdir.startsWith("/root") ? "/tmp/closed" : workdir;
        int uid = workdir.startsWith("/root") ? AGENT - 1 : AGENT;
        guest.send(new SpawnBuilder(2, "true").workdir(path).uid(uid).build());

        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(2, Stage.WORKDIR, errno));
    }

    @Test
    void commandsAreLookedUpInTheGivenPathOrTheDefaultOne() {
        guest.run(
                1,
                "mkdir /tmp/bin /tmp/shut && printf '#!/bin/sh\necho mine' > /tmp/bin/tool"
                        + " && chmod 755 /tmp/bin/tool && printf x > /tmp/shut/tool");
        guest.send(new SpawnBuilder(2, "tool")
                .env(Map.of("PATH", "/nowhere:/tmp/shut:/tmp/bin"))
                .build());
        assertThat(guest.stdoutOf(2)).isEqualTo("mine\n");

        guest.send(new SpawnBuilder(3, "tool").env(Map.of("PATH", "/tmp/shut:")).build());
        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(3, Stage.EXEC, EACCES));

        guest.send(new SpawnBuilder(4, "echo", "usual").env(Map.of()).build());
        assertThat(guest.stdoutOf(4)).isEqualTo("usual\n");
    }

    @Test
    void aProcessHasNoPrivilegesAndNoDescriptorsOfTheGuest() {
        String printed = guest.run(
                1,
                "id -u; id -g; id -G; grep -E '^(Cap|NoNewPrivs|SigBlk|SigIgn)' /proc/self/status | cut -f2; cat"
                        + " /proc/self/oom_score_adj; for fd in $(seq 0 99); do [ -L /proc/$$/fd/$fd ] && printf %s, $fd;"
                        + " done; echo; umask");

        assertThat(printed.lines())
                .containsExactly(
                        "65534",
                        "65534",
                        "65534",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "1",
                        "1000",
                        "0,1,2,",
                        "0022");
    }

    @Test
    void evenAProcessOfRootHasNoCapabilities() {
        guest.send(new SpawnBuilder(1, "grep", "-E", "^(Cap|Uid)", "/proc/self/status")
                .uid(0)
                .build());

        assertThat(guest.stdoutOf(1).lines().map(line -> line.split("\\s+", 0)[1]))
                .containsExactly(
                        "0",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000",
                        "0000000000000000");
    }

    @Test
    void anAgentCanNeitherSignalNorReadNorTraceTheGuest() {
        String printed = guest.run(
                1,
                "kill -0 1 2>/dev/null && echo signalled; kill -KILL 1 2>/dev/null && echo killed;"
                        + " cat /proc/1/environ 2>/dev/null && echo read; ls /proc/1/fd 2>/dev/null && echo listed;"
                        + " (: < /proc/1/mem) 2>/dev/null && echo opened; (: > /proc/1/mem) 2>/dev/null && echo traced;"
                        + " echo done");

        assertThat(printed).isEqualTo("done");
    }

    @Test
    void theGuestErasesWhatItHasPassedOn() throws IOException {
        guest.send(
                new SpawnBuilder(1, "sh", "-c", "read line; echo heard; sleep 1000", "argument-secret")
                        .env(Map.of("PATH", "/usr/bin:/bin", "TOKEN", "environment-secret"))
                        .build(),
                new NodeFrame.Stdin(1, Blob.ofUtf8("stdin-secret\n")),
                new NodeFrame.WriteFile(1, "/workspace/f", 0600, AGENT, AGENT, 0, Blob.ofUtf8("file-secret")),
                new SpawnBuilder(2, "sleep", "1000").build(),
                new NodeFrame.Stdin(2, Blob.of(new byte[STDIN_WINDOW])));
        guest.awaitText(1, "heard");
        // The pipe is full once its credit has been returned. Later input stays in the guest, since it is not read:
        // this
        // shows that the search works.
        for (int granted = 0; granted < 2 * STDIN_WINDOW; ) {
            granted += guest.await(StdinCredit.class, credit -> credit.process() == 2)
                    .bytes();
        }
        guest.send(new NodeFrame.Stdin(2, Blob.ofUtf8("still-held")));
        TestGuest.waiting("the guest to hold the unread input").until(() -> guest.remembers("still-held"));

        for (String secret : List.of("argument-secret", "environment-secret", "stdin-secret", "file-secret")) {
            assertThat(guest.remembers(secret)).as(secret).isFalse();
        }
    }

    @Test
    void resourceLimitsAreSetWithinTheSandboxesLimits() {
        guest.send(new SpawnBuilder(
                        1, "sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c; ulimit -f; ulimit -Hs; ulimit -l; ulimit -p")
                .rlimits(Map.of(
                        Resource.NOFILE, 64L,
                        Resource.CORE, 0L,
                        Resource.FSIZE, 1L << 20,
                        Resource.STACK, 1L << 20,
                        Resource.MEMLOCK, 0L,
                        Resource.MSGQUEUE, 0L,
                        Resource.NPROC, 77L))
                .build());
        assertThat(guest.stdoutOf(1).lines()).containsExactly("64", "64", "0", "2048", "1024", "0", "77");

        guest.send(new SpawnBuilder(2, "sh", "-c", "ulimit -Hn")
                .rlimits(Map.of(Resource.NOFILE, 1L << 40))
                .build());
        String hard = guest.stdoutOf(2).strip();
        assertThat(guest.run(3, "ulimit -Hn")).isEqualTo(hard);
    }

    @Test
    void stdinArrivesWithinItsCreditAndEndsWhenItIsClosed() {
        int total = 1_000_000;
        guest.send(new SpawnBuilder(1, "sha256sum").build());
        byte[] data = new byte[total];
        new Random(1).nextBytes(data);
        int sent = 0;
        while (sent < total) {
            int credit = guest.await(StdinCredit.class).bytes();
            int part = Math.min(credit, total - sent);
            guest.send(new NodeFrame.Stdin(1, Blob.of(Arrays.copyOfRange(data, sent, sent + part))));
            sent += part;
        }
        guest.send(new NodeFrame.CloseStdin(1));

        assertThat(guest.stdoutOf(1)).startsWith(sha256(data));
    }

    @Test
    void unreadStdinDelaysNothing() {
        guest.send(sh(1, "exec <&-; echo closed; sleep 100"));
        guest.awaitText(1, "closed");
        for (int i = 0; i < 4; i++) {
            int credit = guest.await(StdinCredit.class).bytes();
            guest.send(new NodeFrame.Stdin(1, Blob.of(new byte[credit])));
        }

        guest.send(new NodeFrame.Signal(1, 15, NodeFrame.SignalScope.GROUP));
        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, 15));
    }

    @Test
    void aTerminalBelongsToItsProcessAndCanBeResizedAndTypedInto() {
        guest.send(new SpawnBuilder(
                        1,
                        "sh",
                        "-c",
                        "stty -echo; test -t 0 && test -t 1 && test -t 2 && [ -O $(tty) ] && stty size;"
                                + " read word; echo $word; stty size; cat; echo ended")
                .terminal(24, 80)
                .build());
        guest.awaitText(1, "24 80");
        guest.send(
                new NodeFrame.Resize(1, new NodeFrame.TerminalSize(50, 132)),
                new NodeFrame.Stdin(1, Blob.ofUtf8("typed\nhalf a line")),
                new NodeFrame.CloseStdin(1));

        assertThat(guest.stdoutOf(1)).isEqualTo("24 80\r\ntyped\r\n50 132\r\nhalf a lineended\r\n");
        assertThat(guest.awaitExit(1).exitCode()).isZero();
    }

    @Test
    void controlCOnATerminalInterruptsItsForegroundProcess() {
        // No shell: dash loses an interrupt that arrives while it starts a command.
        guest.send(new SpawnBuilder(1, "cat").terminal(24, 80).build(), new NodeFrame.Stdin(1, Blob.ofUtf8("line\n")));
        guest.awaitText(1, "line\r\nline\r\n");
        guest.send(new NodeFrame.Stdin(1, Blob.ofUtf8("\u0003")));

        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, 2));
    }

    /** A warning must not end what the command has started, which may not know the signal. */
    @Test
    void aSignalToTheProcessAloneSparesItsGroup() {
        guest.send(sh(
                1,
                "trap 'echo trapped; kill -0 $child && echo spared' USR1; sleep 1000 & child=$!; echo started; wait"));
        guest.awaitText(1, "started");

        guest.send(new NodeFrame.Signal(1, 10, NodeFrame.SignalScope.PROCESS));

        guest.awaitText(1, "started\ntrapped\nspared\n");
    }

    @Test
    void aSignalToAProcessThatHasEndedReachesNothingOfItsGroup() {
        guest.send(sh(
                1,
                "trap 'echo hit' USR1; (trap 'echo hit' USR1; echo started; while :; do sleep 0.02; done) & exit 0"));
        guest.awaitText(1, "started");
        guest.awaitExit(1);

        guest.send(new NodeFrame.Signal(1, 10, NodeFrame.SignalScope.PROCESS), new NodeFrame.Ping(9));
        guest.await(Pong.class);

        assertThat(guest.run(3, "sleep 0.2; echo later")).isEqualTo("later");
        assertThat(guest.text(1, Stream.STDOUT)).isEqualTo("started\n");
    }

    @Test
    void aSignalReachesTheWholeGroup() {
        guest.send(sh(1, "sleep 1000 & echo started; wait"), sh(2, "sleep 1000"));
        guest.awaitText(1, "started");
        guest.send(new NodeFrame.Signal(1, 9, NodeFrame.SignalScope.GROUP));

        assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(1, 9));
        guest.await(OutputClosed.class, closed -> closed.process() == 1 && closed.stream() == Stream.STDOUT);
        // The other shell may not have become its sleep yet: wait for it.
        String count = "cat /proc/[0-9]*/comm | grep -c '^sleep$'";
        assertThat(guest.run(3, "until [ $(" + count + ") = 1 ]; do :; done; " + count))
                .as("the group's sleep is gone and the other is not")
                .isEqualTo("1");
    }

    @Test
    void aSignalRightAfterItsSpawnIsNotLost() {
        for (int id = 1; id <= 20; id++) {
            int process = id;
            guest.send(sh(process, "sleep 1000"), new NodeFrame.Signal(process, 9, NodeFrame.SignalScope.GROUP));

            guest.await(Spawned.class, spawned -> spawned.process() == process);
            assertThat(guest.await(Signaled.class)).isEqualTo(new Signaled(process, 9));
        }
    }

    @Test
    void anExitIsReportedImmediatelyAlthoughDescendantsHoldTheStreams() {
        guest.send(sh(1, "sleep 1000 & exit 3"));

        assertThat(guest.awaitExit(1).exitCode()).isEqualTo(3);
        assertThat(guest.give(OutputClosed.class, closed -> true)).isEmpty();
    }

    @Test
    void theMaximumOfProcessesRunConcurrentlyAndOneMoreIsRefused() {
        for (int id = 1; id <= 64; id++) {
            guest.send(sh(id, "read line; echo $line"));
        }
        for (int id = 1; id <= 64; id++) {
            int process = id;
            guest.await(Spawned.class, spawned -> spawned.process() == process);
        }
        guest.send(sh(65, "true"), sh(64, "true"));
        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(65, Stage.PREPARE, EAGAIN));
        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(64, Stage.PREPARE, EEXIST));

        for (int id = 1; id <= 64; id++) {
            guest.send(new NodeFrame.Stdin(id, Blob.ofUtf8("line " + id + "\n")));
        }
        for (int id = 1; id <= 64; id++) {
            assertThat(guest.stdoutOf(id)).isEqualTo("line " + id + "\n");
            guest.awaitExit(id);
        }
        assertThat(guest.run(65, "echo again")).isEqualTo("again");
    }

    @Test
    void requestsWithoutACommandAreRefused() {
        guest.send(new NodeFrame.Spawn(1, List.of(), Map.of(), "/", AGENT, AGENT, Map.of(), Optional.empty(), 0));

        assertThat(guest.await(SpawnFailed.class)).isEqualTo(new SpawnFailed(1, Stage.PREPARE, EINVAL));
    }

    @Test
    void orphansAreReapedImmediately() {
        guest.send(sh(1, "for i in $(seq 100); do (sleep 0.01 &) ; done"));
        guest.awaitExit(1);

        int[] next = {2};
        TestGuest.waiting("no process but the guest and the one that counts")
                .until(() ->
                        guest.run(next[0]++, "set -- /proc/[0-9]*; echo $#").equals("2"));
    }

    private static String sha256(byte[] data) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
