package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Isolation;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Nodes of one machine, with the same runtime, images and state folder, do not notice each other. */
class TwoNodesTest {
    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final String installation = "test-" + UlidCreator.getUlid().toLowerCase();
    private final String other = "test-" + UlidCreator.getUlid().toLowerCase();

    @BeforeEach
    void begin() {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
    }

    @AfterEach
    void end() {
        blocking.shutdownNow();
        assertThat(Leftovers.things(OciSandboxes.config(installation, "node-1")))
                .isEmpty();
        assertThat(Leftovers.things(OciSandboxes.config(other, "node-1"))).isEmpty();
    }

    /** A node with one sandbox. */
    private final class Node implements AutoCloseable {
        final RecordingListener heard = new RecordingListener();
        final SandboxDriver driver;
        final SandboxHandle made;

        Node(String installation, String name) {
            driver = OciSandboxes.open(OciSandboxes.config(installation, name), blocking);
            made = outcome(driver.create(
                    new SandboxId(UlidCreator.getUlid().toLowerCase()),
                    OciSandboxes.template("vivarium/python", Isolation.CONTAINER),
                    new Purpose.ToWait(),
                    heard));
            heard.confirmOn(made.channel());
        }

        void assertLives() {
            made.channel().send(new NodeFrame.Ping(7));
            assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
        }

        @Override
        public void close() {
            outcome(driver.destroy(made.id()));
            driver.close();
        }
    }

    @Test
    void aNodesEndIsNotItsNeighbours() {
        try (Node neighbour = new Node(installation, "node-2");
                Node stranger = new Node(other, "node-1")) {
            try (Node node = new Node(installation, "node-1")) {
                assertThat(outcome(node.driver.list(new Selection.All())))
                        .containsExactlyInAnyOrder(
                                new ListedSandbox(node.made.id(), new ListedSandbox.ThisNode()),
                                new ListedSandbox(neighbour.made.id(), new ListedSandbox.OtherNode("node-2")));
                outcome(node.driver.destroy(stranger.made.id()));
            }

            neighbour.assertLives();
            stranger.assertLives();
        }
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }
}
