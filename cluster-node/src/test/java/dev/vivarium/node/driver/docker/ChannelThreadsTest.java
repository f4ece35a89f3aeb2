package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The number of a node's threads does not depend on the number of its sandboxes. */
class ChannelThreadsTest {
    private static final int SANDBOXES = 12;

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    @Test
    void sandboxesNeedNoThreads() {
        // given: every thread that the first sandboxes need has been started
        ThreadPoolExecutor blocking =
                (ThreadPoolExecutor) Executors.newFixedThreadPool(DockerDriver.blockingCallsMax(sandboxes.config()));
        blocking.prestartAllCoreThreads();
        DockerDriver driver = DockerDriver.open(sandboxes.config(), blocking, NodeClock.system());
        List<Live> live = new ArrayList<>();
        live.add(TestSandboxes.create(driver, newId(), sandboxes.template()));
        live.add(TestSandboxes.create(driver, newId(), sandboxes.template()));
        int before = Thread.getAllStackTraces().size();

        // when
        while (live.size() < SANDBOXES) {
            live.add(TestSandboxes.create(driver, newId(), sandboxes.template()));
        }
        for (Live sandbox : live) {
            sandbox.channel().send(new NodeFrame.Ping(1));
            sandbox.heard().await(GuestFrame.Pong.class);
        }

        // then
        assertThat(Thread.getAllStackTraces()).hasSizeLessThanOrEqualTo(before + 2);

        live.forEach(sandbox -> outcome(driver.destroy(sandbox.id())));
        driver.close();
        blocking.shutdownNow();
    }
}
