package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SandboxKind.EachOfTheEngine
class NodeDeathTest {
    private static final String STUBBORN_CHILDREN =
            """
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
                os.fork()
            time.sleep(1000)
            """;

    @RegisterExtension
    final TestSandboxes sandboxes;

    NodeDeathTest(Isolation isolation) {
        sandboxes = new TestSandboxes(isolation);
    }

    @Test
    void aNodeThatIsKilledLeavesNoSandbox() throws Exception {
        // given
        Process node = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Node.class.getName(),
                        sandboxes.config().installation(),
                        sandboxes.kind().isolation().name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = node.inputReader()) {
            String line = said.readLine();
            while (line != null && !line.equals("holding")) {
                line = said.readLine();
            }
            assertThat(line).isEqualTo("holding");
        }
        long guest =
                Docker.inspect(sandboxes.containers().get(0)).at("/State/Pid").asLong();

        // when
        node.destroyForcibly().waitFor();

        // then
        Awaitility.await()
                .atMost(Duration.ofSeconds(1))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !Files.exists(Path.of("/proc/" + guest)));
        Awaitility.await()
                .atMost(Duration.ofSeconds(3))
                .until(() -> sandboxes.containers().isEmpty());
    }

    /** A node that holds one sandbox until it is killed. */
    static final class Node {
        private Node() {}

        public static void main(String[] arguments) throws Exception {
            DockerDriver driver = DockerDriver.open(
                    TestSandboxes.config(arguments[0], "node-1"), Executors.newCachedThreadPool(), NodeClock.system());
            Live sandbox = TestSandboxes.create(
                    driver, newId(), TestSandboxes.template(TestSandboxes.IMAGE, Isolation.valueOf(arguments[1])));
            sandbox.start(1, "python3", "-c", STUBBORN_CHILDREN);
            sandbox.heard().await(GuestFrame.Spawned.class);
            System.out.println("holding");
            Thread.sleep(Duration.ofMinutes(5).toMillis());
        }
    }
}
