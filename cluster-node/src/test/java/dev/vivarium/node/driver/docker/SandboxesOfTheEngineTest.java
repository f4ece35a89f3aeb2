package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the engine does for sandboxes: exclusive names, removal, and a memory of them that outlives a node. */
@SandboxKind.EachOfTheEngine
class SandboxesOfTheEngineTest {
    @RegisterExtension
    final TestSandboxes sandboxes;

    SandboxesOfTheEngineTest(Isolation isolation) {
        sandboxes = new TestSandboxes(isolation);
    }

    @Test
    void theEngineRefusesASecondSandboxForAnAttempt() {
        // given
        AttemptName attempt = new AttemptName(new RunId(newId().value()), 1);
        Live first = sandboxes.create();
        Live second = sandboxes.create();
        outcome(sandboxes.driver().claim(first.id(), attempt, sandboxes.template()));

        // when
        Kind refusal = failure(sandboxes.driver().claim(second.id(), attempt, sandboxes.template()))
                .kind();

        // then
        assertThat(refusal).isEqualTo(Kind.ATTEMPT_CLAIMED);
        assertThat(sandboxes.containers())
                .anyMatch(name -> name.endsWith("-" + attempt.run() + "-1"))
                .anyMatch(name -> name.endsWith("-" + second.id()));
        assertThat(failure(sandboxes
                                .driver()
                                .claim(first.id(), new AttemptName(attempt.run(), 2), sandboxes.template()))
                        .kind())
                .isEqualTo(Kind.REFUSED);
        outcome(sandboxes.driver().claim(second.id(), new AttemptName(attempt.run(), 2), sandboxes.template()));
        sandboxes.destroy(first);
        sandboxes.destroy(second);
        assertThat(failure(sandboxes.driver().claim(first.id(), attempt, sandboxes.template()))
                        .kind())
                .isEqualTo(Kind.SANDBOX_UNKNOWN);
    }

    @Test
    void theSandboxCreatedForAnAttemptIsItsOnlyOne() {
        // given
        AttemptName attempt = new AttemptName(new RunId(newId().value()), 1);
        SandboxId first = newId();
        SandboxId second = newId();
        outcome(sandboxes
                .driver()
                .create(first, sandboxes.template(), new Purpose.ForAttempt(attempt), new RecordingListener()));

        // when
        Kind refusal = failure(sandboxes
                        .driver()
                        .create(second, sandboxes.template(), new Purpose.ForAttempt(attempt), new RecordingListener()))
                .kind();

        // then
        assertThat(refusal).isEqualTo(Kind.ATTEMPT_CLAIMED);
        assertThat(sandboxes.containers()).singleElement().asString().endsWith("-" + attempt.run() + "-1");
        assertThat(failure(sandboxes.driver().claim(first, new AttemptName(attempt.run(), 2), sandboxes.template()))
                        .kind())
                .isEqualTo(Kind.REFUSED);
        outcome(sandboxes.driver().destroy(first));
    }

    @Test
    void creationIsRepeatableAfterALostAnswer() {
        // given a sandbox that the engine created for a driver that ended before the answer arrived
        AttemptName attempt = new AttemptName(new RunId(newId().value()), 1);
        SandboxId id = newId();
        DockerDriver earlier = DockerDriver.open(sandboxes.config(), sandboxes.blocking(), NodeClock.system());
        outcome(earlier.create(id, sandboxes.template(), new Purpose.ForAttempt(attempt), new RecordingListener()));

        // when
        outcome(sandboxes
                .driver()
                .create(id, sandboxes.template(), new Purpose.ForAttempt(attempt), new RecordingListener()));

        // then
        assertThat(sandboxes.containers()).hasSize(1);
        outcome(sandboxes.driver().destroy(id));
        earlier.close();
    }

    @Test
    void onlySandboxesOfEarlierAttemptsOfTheRunAreDestroyedOnOtherNodes() {
        // given
        RunId run = new RunId(newId().value());
        RunId otherRun = new RunId(newId().value());
        DockerDriver other = DockerDriver.open(
                TestSandboxes.config(sandboxes.config().installation(), "another"),
                sandboxes.blocking(),
                NodeClock.system());
        outcome(other.create(
                newId(),
                sandboxes.template(),
                new Purpose.ForAttempt(new AttemptName(run, 1)),
                new RecordingListener()));
        outcome(other.create(
                newId(),
                sandboxes.template(),
                new Purpose.ForAttempt(new AttemptName(run, 3)),
                new RecordingListener()));
        outcome(other.create(
                newId(),
                sandboxes.template(),
                new Purpose.ForAttempt(new AttemptName(otherRun, 1)),
                new RecordingListener()));

        // when
        int destroyed = outcome(sandboxes.withNetworks().destroyBefore(new AttemptName(run, 2)));

        // then
        assertThat(destroyed).isEqualTo(1);
        assertThat(TestSandboxes.owned(other)).hasSize(2);
        assertThat(outcome(sandboxes.withNetworks().destroyBefore(new AttemptName(run, 4))))
                .isEqualTo(1);
        assertThat(outcome(sandboxes.withNetworks().destroyBefore(new AttemptName(otherRun, 2))))
                .isEqualTo(1);
        awaitNoContainers();
        other.close();
    }

    @Test
    void killingTheGuestClosesTheChannelWithSandboxEnded() {
        Live sandbox = sandboxes.create();

        Docker.run("kill", sandboxes.containers().get(0));

        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
        awaitNoContainers();
        sandboxes.destroy(sandbox);
    }

    @Test
    void theEngineRemovesASandboxWhoseChannelWasClosed() {
        Live sandbox = sandboxes.create();

        sandbox.channel().close();

        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.CLOSED_HERE);
        awaitNoContainers();
    }

    @Test
    void aRestartedNodeFindsAndDestroysItsSandboxes() {
        // given
        Live sandbox = sandboxes.create();
        DockerDriver restarted = DockerDriver.open(sandboxes.config(), sandboxes.blocking(), NodeClock.system());
        DockerDriver other = DockerDriver.open(
                TestSandboxes.config(sandboxes.config().installation(), "node-2"),
                sandboxes.blocking(),
                NodeClock.system());

        // then
        assertThat(TestSandboxes.owned(restarted)).containsExactly(sandbox.id());
        assertThat(TestSandboxes.owned(other)).isEmpty();
        outcome(restarted.destroy(sandbox.id()));
        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.SANDBOX_ENDED);
        assertThat(TestSandboxes.owned(restarted)).isEmpty();
        restarted.close();
        other.close();
    }

    @Test
    void closingTheDriverEndsItsSandboxes() {
        DockerDriver closing = DockerDriver.open(sandboxes.config(), sandboxes.blocking(), NodeClock.system());
        Live sandbox = TestSandboxes.create(closing, newId(), sandboxes.template());

        closing.close();

        assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.CLOSED_HERE);
        awaitNoContainers();
    }

    @Test
    void theEngineReportsItsIsolationClasses() {
        assertThat(sandboxes.driver().capabilities().isolations())
                .contains(Isolation.CONTAINER)
                .doesNotContain(Isolation.MICROVM);
    }

    private void awaitNoContainers() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(5))
                .until(() -> sandboxes.containers().isEmpty());
    }
}
