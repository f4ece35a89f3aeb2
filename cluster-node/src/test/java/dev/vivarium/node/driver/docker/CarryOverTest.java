package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Nothing of a sandbox shows up in another one of the same template, neither while the first lives nor afterwards, nor
 * on the host. Each mark is first found in the sandbox that left it; places that accept no mark are listed.
 */
@SandboxKind.Each
class CarryOverTest {
    private static final String TRACES = program("traces.py");

    /** The id of a sandbox, for find. */
    private static final String ANY_SANDBOX = "[0-9a-z]".repeat(26);

    /** Places where an agent can leave a mark. */
    private static final List<String> LEFT = List.of(
            "daemon",
            "dev-shm",
            "environment",
            "lock-image",
            "locks-kernel-files",
            "message-queue-posix",
            "message-queue-sysv",
            "out-of-memory-score",
            "port-tcp",
            "port-udp",
            "semaphores-sysv",
            "shared-memory-sysv",
            "socket-abstract",
            "socket-path",
            "terminal",
            "tmp",
            "workspace");
    /** Places where it cannot. */
    private static final List<String> REFUSED = List.of(
            "address",
            "control-group",
            "dev",
            "domain-name",
            "guest-folder",
            "hostname",
            "image-folder",
            "keyring",
            "lock-guest",
            "neighbour",
            "root",
            "setting-ipc",
            "setting-network",
            "setting-queues");

    @RegisterExtension
    final TestSandboxes sandboxes;

    private final SandboxTemplate template;
    private final RunId run = new RunId(newId().value());

    CarryOverTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
        template = sandboxes.template();
    }

    @Test
    void noMarkOfASandboxIsFoundInAnotherSandbox() {
        // given
        String mark = newMark();
        Live first = claimed(new AttemptName(run, 1));
        leaveMarks(first, mark);
        assertThat(look(first, mark))
                .allSatisfy((place, found) -> assertThat(found).as(place).isEqualTo(isLeft(place)));

        // when, then: in a second sandbox of another run
        Live beside = claimed(new AttemptName(new RunId(newId().value()), 1));
        assertNoneIsFound(beside, mark);
        sandboxes.destroy(first);
        assertNoneIsFound(beside, mark);
        sandboxes.destroy(beside);

        // and after it, for the same run
        Live next = claimed(new AttemptName(run, 2));
        assertNoneIsFound(next, mark);
        sandboxes.destroy(next);
    }

    private static boolean isLeft(String place) {
        return LEFT.contains(place);
    }

    private static void assertNoneIsFound(Live sandbox, String mark) {
        assertThat(look(sandbox, mark))
                .hasSize(LEFT.size() + REFUSED.size())
                .allSatisfy((place, found) -> assertThat(found).as(place).isFalse());
    }

    @Test
    void theHostKeepsNoMarkOfADestroyedSandbox() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Instant began = Instant.now();
        String mark = newMark();
        String key = Long.toString(0x40000000L | Long.parseLong(mark.substring(mark.length() - 6), 16));
        Live sandbox = claimed(new AttemptName(run, 1));
        HostPlaces places = sandboxes.kind().driver() == SandboxKind.Driver.DOCKER
                ? ofTheEngine(sandboxes.containers().get(0))
                : ofTheNode(sandbox);
        String sharedBefore = fingerprint(places);
        leaveMarks(sandbox, mark);

        // given: the host sees them while the sandbox lives, unless the sandbox has its own kernel
        assertThat(commandLines().contains("daemon-" + mark))
                .isEqualTo(!sandboxes.kind().isolation().hasOwnKernel());
        // and none of them is in the sandbox's folder
        assertThat(places.own()).isDirectory();
        assertThat(shell("find " + places.own() + " -name '*" + mark + "*'")).isEmpty();
        assertThat(shell("grep -r -l -a -F " + mark + " " + places.own() + "; true"))
                .isEmpty();

        // when
        sandboxes.destroy(sandbox);

        // then
        assertThat(commandLines()).doesNotContain(mark);
        assertThat(places.own()).doesNotExist();
        assertThat(shell("find /dev/shm /dev/mqueue /tmp /run -xdev -name '*" + mark + "*' 2>/dev/null; true"))
                .isEmpty();
        assertThat(shell("cat /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg /proc/net/unix /proc/keys"))
                .doesNotContain(mark)
                .doesNotContain(key);
        assertThat(shell("find " + String.join(" ", places.written()) + " -xdev -type f -newermt '" + began
                        + "' -exec grep -l -a -F " + mark + " {} + 2>/dev/null; true"))
                .isEmpty();
        assertThat(fingerprint(places)).isEqualTo(sharedBefore);
        assertThat(shell("find " + places.shared() + " -name '" + sandbox.id() + "*'"))
                .isEmpty();
    }

    /**
     * Where a driver has files.
     *
     * @param own the folder of the sandbox alone
     * @param shared what sandboxes share, besides their image
     * @param written all that it writes to
     */
    private record HostPlaces(Path own, Path shared, List<String> written) {}

    private static HostPlaces ofTheEngine(String container) throws Exception {
        Path layer = Path.of(
                Docker.inspect(container).at("/GraphDriver/Data/UpperDir").asText());
        // runsc makes an empty file where one is bound over its kernel's
        assertThat(shell("find " + layer + " -type f -size +0")).isEmpty();
        return new HostPlaces(
                layer,
                guestVolume(container),
                List.of(Docker.run("info", "--format", "{{.DockerRootDir}}"), "/run/docker"));
    }

    private HostPlaces ofTheNode(Live sandbox) throws Exception {
        OciDriverConfig config = sandboxes.ociConfig();
        Path own = Path.of(shell("find " + config.state() + " -path '*/" + sandbox.id() + "' -not -path '*/runtime-*'")
                .strip());
        return new HostPlaces(
                own,
                own.resolveSibling("layers"),
                List.of(config.folder().toString(), config.state().toString()));
    }

    /** Of what stays. The files that a starting sandbox of another test on the same engine binds come and go. */
    private static String fingerprint(HostPlaces places) throws Exception {
        String kept = "find . -mindepth 1 -not -regex '\\./" + ANY_SANDBOX + "-.*' ";
        return shell("cd " + places.shared() + " && " + kept + "-printf '%P %y %m %U %l\\n' | sort && " + kept
                + "-type f -printf '%P %s %T@\\n' -exec sha256sum {} ';' | sort");
    }

    @Test
    void aSandboxIsNotNotifiedOfTheStartOfAnother() {
        Live listening = sandboxes.create(template);
        listening.start(1, "python3", "-c", program("listener.py"));
        awaitLine(listening, 1, "ready");

        Live other = sandboxes.create(template);
        other.python(1, "print(open('/etc/passwd').readline())");
        listening.channel().send(new NodeFrame.CloseStdin(1));
        assertThat(listening.heard().awaitEnd(1)).isZero();

        String heard = listening.heard().output(1, NodeFrame.Stream.STDOUT);
        assertThat(heard).contains("/.vivarium/vivarium-init refused").contains("heard /tmp/control");
        assertThat(heard.lines().filter(line -> line.startsWith("heard")))
                .as(heard)
                .allMatch(line -> line.equals("heard /tmp/control"));
        sandboxes.destroy(listening);
        sandboxes.destroy(other);
    }

    // ---- vocabulary of the tests

    private Live claimed(AttemptName attempt) {
        return sandboxes.claimed(attempt, template);
    }

    private static void leaveMarks(Live sandbox, String mark) {
        sandbox.start(1, "python3", "-c", TRACES, "leave", mark);
        Map<String, String> answers = answers(awaitLine(sandbox, 1, "over"));
        assertThat(answers).as("%s", answers).hasSize(LEFT.size() + REFUSED.size());
        answers.forEach((place, answer) -> assertThat(answer).as(place).startsWith(isLeft(place) ? "left" : "refused"));
    }

    /** What a new process in a sandbox finds, by place. */
    private static Map<String, Boolean> look(Live sandbox, String mark) {
        int process = 2 + sandbox.heard().frames().size();
        sandbox.start(process, "python3", "-c", TRACES, "look", mark);
        Map<String, Boolean> found = new TreeMap<>();
        answers(awaitLine(sandbox, process, "over"))
                .forEach((place, answer) -> found.put(place, answer.equals("found")));
        return found;
    }

    private static Map<String, String> answers(String printed) {
        return printed.lines()
                .map(line -> line.split(" ", 2))
                .filter(words -> words.length == 2)
                .collect(Collectors.toMap(words -> words[0], words -> words[1]));
    }

    private static String awaitLine(Live sandbox, int process, String line) {
        Awaitility.await("'" + line + "' of process " + process)
                .atMost(Duration.ofSeconds(60))
                .until(() -> {
                    String errors = sandbox.heard().output(process, NodeFrame.Stream.STDERR);
                    assertThat(errors).isEmpty();
                    return printed(sandbox, process).lines().anyMatch(line::equals);
                });
        return printed(sandbox, process);
    }

    private static String printed(Live sandbox, int process) {
        return sandbox.heard().output(process, NodeFrame.Stream.STDOUT);
    }

    private static String newMark() {
        return "mark-" + Long.toHexString(UlidCreator.getUlid().getLeastSignificantBits());
    }

    /** The folder of the volume with the guest's program; an engine lists mounts in no order. */
    private static Path guestVolume(String container) {
        return StreamSupport.stream(Docker.inspect(container).at("/Mounts").spliterator(), false)
                .filter(mount -> mount.at("/Destination").asText().equals("/.vivarium"))
                .map(mount -> Path.of(mount.at("/Source").asText()))
                .findFirst()
                .orElseThrow();
    }

    private static String commandLines() throws IOException, InterruptedException {
        return shell("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true");
    }

    private static String shell(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("timeout", "60", "sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }

    private static String program(String name) {
        try (InputStream source = CarryOverTest.class.getResourceAsStream("/sandbox/" + name)) {
            return new String(source.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new AssertionError(unreadable);
        }
    }
}
