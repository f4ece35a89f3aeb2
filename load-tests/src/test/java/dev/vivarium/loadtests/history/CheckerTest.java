package dev.vivarium.loadtests.history;

import static dev.vivarium.loadtests.history.Scene.KEY;
import static dev.vivarium.loadtests.history.Scene.OTHER_RUN;
import static dev.vivarium.loadtests.history.Scene.RUN;
import static dev.vivarium.loadtests.history.Scene.at;
import static dev.vivarium.loadtests.history.Scene.node;
import static dev.vivarium.loadtests.history.Scene.read;
import static dev.vivarium.loadtests.history.Scene.submit;
import static dev.vivarium.loadtests.history.Scene.submitted;
import static dev.vivarium.loadtests.history.Scene.ticks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Interruption;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.Usage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A legal history passes, and each one that violates an invariant is detected by that invariant and no other. */
class CheckerTest {
    private static final RunEvent SUCCEEDED = new RunEvent.RunSucceeded(at(13), node(2), 2, Usage.NONE);

    /** A legal history with one violation. */
    private record Spoiled(String how, Scene from, Consumer<Scene> by, Set<Invariant> broken) {
        private Spoiled(String how, Scene from, Consumer<Scene> by, Invariant... broken) {
            this(how, from, by, EnumSet.copyOf(Arrays.asList(broken)));
        }
    }

    @Test
    void legalHistoriesPass() {
        assertThat(Checker.check(Scene.failover().trial())).isEmpty();
        assertThat(Checker.check(Scene.cancellation().trial())).isEmpty();
        assertThat(Checker.check(Scene.renewal().trial())).isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> everyViolationIsDetected() {
        return spoiled()
                .map(one -> DynamicTest.dynamicTest(one.how, () -> {
                    one.by.accept(one.from);

                    List<Violation> violations = Checker.check(one.from.trial());

                    assertThat(violations.stream().map(Violation::invariant).collect(Collectors.toSet()))
                            .as("%s", violations)
                            .isEqualTo(one.broken);
                    assertThat(violations).allSatisfy(violation -> assertThat(violation.what())
                            .endsWith("."));
                }));
    }

    @Test
    void everyInvariantHasAHistoryThatViolatesIt() {
        assertThat(spoiled().flatMap(one -> one.broken.stream()).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Invariant.values());
    }

    private static Stream<Spoiled> spoiled() {
        return Stream.of(journals(), clients(), sandboxes(), effects(), reasons())
                .flatMap(List::stream);
    }

    private static List<Spoiled> journals() {
        return List.of(
                new Spoiled(
                        "a run that never ends",
                        Scene.failover(),
                        scene -> {
                            drop(scene, SUCCEEDED);
                            scene.exchanges.removeIf(exchange -> exchange.answer() instanceof Exchange.CurrentStatus);
                            scene.shown = RunStatus.RUNNING;
                            scene.listed = Optional.of(RunStatus.RUNNING);
                        },
                        Invariant.EVERY_RUN_ENDS_EXACTLY_ONCE),
                new Spoiled(
                        "a run that ends twice",
                        Scene.failover(),
                        scene -> scene.events.add(
                                new RunEvent.RunFailed(at(14), node(1), 2, 1, Optional.empty(), Usage.NONE)),
                        Invariant.EVERY_RUN_ENDS_EXACTLY_ONCE,
                        Invariant.EVENTS_ARE_A_LEGAL_PATH),
                new Spoiled(
                        "an event after the end",
                        Scene.failover(),
                        scene -> scene.events.add(new RunEvent.CancelRequested(
                                at(14), node(1), Principal.LOCAL_OPERATOR, Optional.empty())),
                        Invariant.EVERY_RUN_ENDS_EXACTLY_ONCE,
                        Invariant.EVENTS_ARE_A_LEGAL_PATH),
                new Spoiled(
                        "a skipped attempt",
                        Scene.failover(),
                        scene -> {
                            replace(scene, 4, new RunEvent.AttemptStarting(at(9.5), node(2), 3));
                            replace(
                                    scene,
                                    5,
                                    new RunEvent.AttemptStarted(at(10.2), node(2), 3, "c2", Optional.empty()));
                            replace(scene, 6, new RunEvent.RunSucceeded(at(13), node(2), 3, Usage.NONE));
                            scene.sandboxes.remove(1);
                            scene.sandboxes.add(new SandboxLife(
                                    Driver.DOCKER, "c2", RUN, 3, node(2), at(10), Optional.of(at(12.9))));
                            scene.output = ticks(1, 1.5, 2) + ticks(3, 10.5, 4);
                        },
                        Invariant.EVENTS_ARE_A_LEGAL_PATH),
                new Spoiled(
                        "an event of a dead attempt that was taken for the live one's",
                        Scene.failover(),
                        scene -> replace(scene, 6, new RunEvent.RunSucceeded(at(13), node(1), 1, Usage.NONE)),
                        // Its one attempt that ended by itself has printed too little, and the sandbox of the other has
                        // no
                        // end.
                        Invariant.EVENTS_ARE_A_LEGAL_PATH,
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "an event that was replaced",
                        Scene.failover(),
                        scene -> scene.furtherJournals.add(unchained()),
                        Invariant.EVENTS_ARE_CHAINED,
                        Invariant.WHAT_WAS_READ_STAYS),
                new Spoiled(
                        "a list that never catches up",
                        Scene.failover(),
                        scene -> scene.listed = Optional.of(RunStatus.RUNNING),
                        Invariant.ALL_VIEWS_AGREE),
                new Spoiled(
                        "a run that is not listed",
                        Scene.failover(),
                        scene -> scene.listed = Optional.empty(),
                        Invariant.ALL_VIEWS_AGREE));
    }

    /** The run with a third event whose hash does not follow from the second. */
    private static Journal unchained() {
        Scene scene = Scene.failover();
        Journal whole = scene.trial().journals().get(RUN);
        List<Journal.Entry> entries = new ArrayList<>(whole.entries());
        entries.set(3, new Journal.Entry(4, entries.get(3).event(), "of another history", "another hash"));
        return new Journal(RUN, entries, whole.shown(), whole.listed(), whole.output());
    }

    private static List<Spoiled> clients() {
        return List.of(
                new Spoiled(
                        "an acknowledged run that is lost",
                        Scene.failover(),
                        scene -> {
                            scene.tasks.put("s1-c1-2", Scene.task("s1-c1-2", Task.Kind.QUICK, Task.Policy.FAIL));
                            scene.exchanges.add(submit("s1-c1-2", 1, 3, new Exchange.Accepted(OTHER_RUN)));
                        },
                        Invariant.ACKNOWLEDGED_RUNS_ARE_KEPT),
                new Spoiled(
                        "an acknowledged run of another key",
                        Scene.failover(),
                        scene -> scene.exchanges.add(submit("s1-c1-2", 1, 3, new Exchange.Accepted(RUN))),
                        Invariant.ACKNOWLEDGED_RUNS_ARE_KEPT),
                new Spoiled(
                        "a run that was durable only after its acknowledgement",
                        Scene.failover(),
                        scene -> scene.exchanges.add(submit(KEY, 1, 0.05, new Exchange.Accepted(RUN))),
                        Invariant.ACKNOWLEDGED_RUNS_ARE_KEPT),
                new Spoiled(
                        "a retry that became a second run without an answer",
                        Scene.failover(),
                        scene -> scene.furtherJournals.add(Scene.journal(
                                OTHER_RUN,
                                List.of(
                                        submitted(OTHER_RUN, KEY, NodeLossPolicy.RESTART, 3),
                                        new RunEvent.CancelRequested(
                                                at(1), node(1), Principal.LOCAL_OPERATOR, Optional.empty()),
                                        new RunEvent.RunCancelled(at(1), node(1), 0, Usage.NONE)),
                                RunStatus.CANCELLED,
                                Optional.of(RunStatus.CANCELLED),
                                "")),
                        Invariant.ONE_KEY_IS_ONE_RUN),
                new Spoiled(
                        "a renewal that was acknowledged and is not in the journal",
                        Scene.renewal(),
                        scene -> {
                            scene.events.remove(3);
                            replace(scene, 3, Scene.killedAt(60_003, 60_000));
                        },
                        Invariant.RENEWALS_ARE_KEPT),
                new Spoiled(
                        "a renewed run that was killed at its old deadline",
                        Scene.renewal(),
                        scene -> replace(scene, 4, Scene.killedAt(60_003, 60_000)),
                        Invariant.RENEWALS_ARE_KEPT),
                new Spoiled(
                        "a run that was killed before its deadline",
                        Scene.renewal(),
                        scene -> replace(scene, 4, Scene.killedAt(119_999, 120_000)),
                        Invariant.RENEWALS_ARE_KEPT),
                new Spoiled(
                        "a history that has changed since it was read",
                        Scene.failover(),
                        scene -> scene.exchanges.add(
                                read(1, 10, new Exchange.LatestEvent(RUN, 4, "of a node declared dead"))),
                        Invariant.WHAT_WAS_READ_STAYS),
                new Spoiled(
                        "an end that was undone",
                        Scene.failover(),
                        scene -> scene.exchanges.add(read(1, 6, new Exchange.CurrentStatus(RUN, RunStatus.FAILED, 1))),
                        Invariant.WHAT_WAS_READ_STAYS),
                new Spoiled(
                        "an attempt that was reported and is not in the journal",
                        Scene.failover(),
                        scene ->
                                scene.exchanges.add(read(1, 12, new Exchange.CurrentStatus(RUN, RunStatus.RUNNING, 3))),
                        Invariant.WHAT_WAS_READ_STAYS),
                new Spoiled(
                        "a cancellation that was acknowledged and forgotten",
                        Scene.failover(),
                        scene -> scene.exchanges.add(
                                new Exchange(KEY, Exchange.Ask.CANCEL, 1, at(4), at(4.5), new Exchange.Accepted(RUN))),
                        Invariant.CANCELLATIONS_ARE_KEPT));
    }

    /** A run of the driver oci whose first attempt is interrupted at second 9. */
    private static Scene withoutEngine() {
        Scene scene = Scene.failover();
        scene.driver = Driver.OCI;
        scene.sandboxes.replaceAll(life -> new SandboxLife(
                Driver.OCI, life.id(), life.run(), life.attempt(), life.node(), life.started(), life.ended()));
        replace(
                scene,
                3,
                new RunEvent.AttemptInterrupted(
                        at(9), node(2), 1, Interruption.ENGINE_LOST, "the channel ended", Optional.empty()));
        return scene;
    }

    @Test
    void anInterruptionHasMoreCausesThanTheEngine() {
        Scene afterItsNode = withoutEngine();
        afterItsNode.outages.add(new Trial.Outage(Fault.Kind.ENGINE, at(8), at(10)));
        assertThat(Checker.check(afterItsNode.trial())).isEmpty();

        Scene withTheStore = withoutEngine();
        withTheStore.losses.clear();
        withTheStore.outages.add(new Trial.Outage(Fault.Kind.ENGINE, at(8), at(10)));
        withTheStore.outages.add(new Trial.Outage(Fault.Kind.STORE, at(2), at(7)));
        assertThat(Checker.check(withTheStore.trial())).isEmpty();
    }

    @Test
    void whatHappenedBetweenTwoLooksIsHeldAgainstNobody() {
        Scene scene = Scene.failover();
        // The first heartbeat is of second 1.5, and the last of the first attempt of second 1.7.
        scene.sandboxes.set(
                0,
                new SandboxLife(
                        Driver.DOCKER,
                        "c1",
                        RUN,
                        1,
                        node(1),
                        at(1.6),
                        Optional.of(at(1.6)),
                        at(1),
                        Optional.of(at(10.5))));

        assertThat(Checker.check(scene.trial())).isEmpty();
    }

    private static List<Spoiled> sandboxes() {
        return List.of(
                new Spoiled(
                        "a trial that saw no sandbox",
                        Scene.failover(),
                        scene -> scene.sandboxes.clear(),
                        Invariant.SANDBOXES_ARE_SEEN,
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "an attempt that was not seen",
                        Scene.failover(),
                        scene -> scene.sandboxes.remove(1),
                        Invariant.SANDBOXES_ARE_SEEN,
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "sandboxes of another driver than the nodes'",
                        Scene.failover(),
                        scene -> scene.driver = Driver.OCI,
                        Invariant.SANDBOXES_ARE_SEEN),
                new Spoiled(
                        "a sandbox of the driver oci that does not survive the engine",
                        withoutEngine(),
                        scene -> {
                            scene.losses.clear();
                            scene.outages.add(new Trial.Outage(Fault.Kind.ENGINE, at(8), at(10)));
                        },
                        Invariant.LIVE_SANDBOXES_NEED_NO_ENGINE),
                new Spoiled(
                        "concurrent sandboxes of two attempts",
                        Scene.failover(),
                        scene -> scene.sandboxes.set(
                                0,
                                new SandboxLife(Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(10.001)))),
                        Invariant.ONE_LIVE_SANDBOX,
                        Invariant.NO_ORPHANS),
                new Spoiled(
                        "concurrent sandboxes of one attempt",
                        Scene.failover(),
                        scene -> scene.sandboxes.add(
                                new SandboxLife(Driver.DOCKER, "c3", RUN, 2, node(2), at(11), Optional.of(at(11.1)))),
                        Invariant.ONE_LIVE_SANDBOX),
                new Spoiled(
                        "a sandbox that is not in the journal",
                        Scene.failover(),
                        scene -> scene.sandboxes.add(
                                new SandboxLife(Driver.DOCKER, "c3", RUN, 3, node(3), at(13), Optional.of(at(13.1)))),
                        Invariant.SANDBOXES_ARE_JOURNALED),
                new Spoiled(
                        "a sandbox that existed before its attempt was durable",
                        Scene.failover(),
                        scene -> replace(scene, 1, new RunEvent.AttemptStarting(at(1.1), node(1), 1)),
                        Invariant.SANDBOXES_ARE_JOURNALED),
                new Spoiled(
                        "a sandbox that outlives its killed node",
                        Scene.failover(),
                        scene -> {
                            scene.events =
                                    new ArrayList<>(Scene.failover().events.subList(0, 3));
                            scene.events.add(new RunEvent.RunSucceeded(at(10.1), node(1), 1, Usage.NONE));
                            scene.sandboxes.remove(1);
                            scene.sandboxes.set(
                                    0,
                                    new SandboxLife(
                                            Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(10.1))));
                            scene.output = ticks(1, 1.5, 4);
                            scene.exchanges.removeIf(exchange -> !(exchange.answer() instanceof Exchange.Accepted));
                        },
                        Invariant.NO_ORPHANS),
                new Spoiled(
                        "a sandbox that outlives the lease of its frozen node",
                        Scene.cancellation(),
                        scene -> {
                            scene.losses.add(
                                    new NodeLoss(node(1), NodeLoss.Cause.OUT_OF_TOUCH, at(2), Optional.of(at(30))));
                            scene.events.set(4, new RunEvent.RunCancelled(at(18), node(1), 1, Usage.NONE));
                            scene.sandboxes.set(
                                    0,
                                    new SandboxLife(
                                            Driver.DOCKER, "c1", RUN, 1, node(1), at(1), Optional.of(at(17.5))));
                        },
                        Invariant.NO_ORPHANS),
                new Spoiled(
                        "a sandbox that outlives its run",
                        Scene.failover(),
                        scene -> scene.sandboxes.set(
                                1,
                                new SandboxLife(Driver.DOCKER, "c2", RUN, 2, node(2), at(10), Optional.of(at(18.1)))),
                        Invariant.NO_ORPHANS),
                new Spoiled(
                        "a sandbox that lives forever",
                        Scene.failover(),
                        scene -> scene.sandboxes.set(
                                1, new SandboxLife(Driver.DOCKER, "c2", RUN, 2, node(2), at(10), Optional.empty())),
                        Invariant.NO_ORPHANS),
                new Spoiled(
                        "a node that does not come back",
                        Scene.failover(),
                        scene -> scene.stuck.add("node-1 is not ready 180 s after it was thawed."),
                        Invariant.THE_CLUSTER_RECOVERS),
                new Spoiled(
                        "a leftover container",
                        Scene.failover(),
                        scene -> scene.left.add("vivarium-0badc0de"),
                        Invariant.NO_ORPHANS));
    }

    private static List<Spoiled> effects() {
        return List.of(
                new Spoiled(
                        "an agent that lives on beside its successor",
                        Scene.failover(),
                        scene -> scene.output =
                                ticks(1, 1.5, 2) + ticks(2, 10.5, 4) + new Tick(1, 3, at(10.6)).printed(),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "a sign of life after the sandbox's end",
                        Scene.failover(),
                        scene -> scene.output = ticks(1, 5.1, 2) + ticks(2, 10.5, 4),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "output that was lost although the agent succeeded",
                        Scene.failover(),
                        scene -> scene.output = ticks(1, 1.5, 2) + ticks(2, 10.5, 3),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "duplicated output",
                        Scene.failover(),
                        scene -> scene.output = ticks(1, 1.5, 2) + ticks(2, 10.5, 4) + ticks(2, 10.5, 4),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "output with a hole",
                        Scene.failover(),
                        scene -> scene.output = ticks(2, 10.5, 4).replaceFirst("\n<2:2:[0-9]*>", "\n<2:9"),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT),
                new Spoiled(
                        "an agent that finished in an attempt that is not in the journal",
                        Scene.failover(),
                        scene -> scene.output = ticks(1, 1.5, 2) + ticks(3, 10.5, 4),
                        Invariant.EFFECTS_BELONG_TO_THE_ATTEMPT));
    }

    private static List<Spoiled> reasons() {
        return List.of(
                new Spoiled(
                        "more attempts than were allowed",
                        Scene.failover(),
                        scene -> replace(scene, 0, submitted(NodeLossPolicy.FAIL, 3)),
                        Invariant.RUNS_END_FOR_A_REASON),
                new Spoiled(
                        "a run that was given up too early",
                        Scene.failover(),
                        scene -> {
                            end(scene, new RunEvent.RunLost(at(9.1), node(2), 1, Interruption.NODE_LOST, "gone"), 4);
                            scene.shown = RunStatus.LOST;
                            scene.listed = Optional.of(RunStatus.LOST);
                        },
                        Invariant.RUNS_END_FOR_A_REASON),
                new Spoiled(
                        "a run that was killed and had done nothing",
                        Scene.failover(),
                        scene -> {
                            replace(
                                    scene,
                                    6,
                                    new RunEvent.RunKilled(
                                            at(13), node(2), 2, KillReason.MEMORY, Optional.empty(), Usage.NONE));
                            scene.exchanges.removeIf(exchange -> exchange.answer() instanceof Exchange.CurrentStatus);
                            scene.shown = RunStatus.KILLED;
                            scene.listed = Optional.of(RunStatus.KILLED);
                        },
                        Invariant.RUNS_END_FOR_A_REASON),
                new Spoiled(
                        "a run that was cancelled without a request",
                        Scene.failover(),
                        scene -> {
                            replace(scene, 6, new RunEvent.RunCancelled(at(13), node(2), 2, Usage.NONE));
                            scene.exchanges.removeIf(exchange -> exchange.answer() instanceof Exchange.CurrentStatus);
                            scene.shown = RunStatus.CANCELLED;
                            scene.listed = Optional.of(RunStatus.CANCELLED);
                        },
                        Invariant.RUNS_END_FOR_A_REASON),
                new Spoiled(
                        "an exit code other than the agent's",
                        Scene.failover(),
                        scene -> {
                            replace(
                                    scene,
                                    6,
                                    new RunEvent.RunFailed(at(13), node(2), 2, 137, Optional.of(9), Usage.NONE));
                            scene.exchanges.removeIf(exchange -> exchange.answer() instanceof Exchange.CurrentStatus);
                            scene.shown = RunStatus.FAILED;
                            scene.listed = Optional.of(RunStatus.FAILED);
                        },
                        Invariant.RUNS_END_FOR_A_REASON));
    }

    private static void drop(Scene scene, RunEvent event) {
        assertThat(scene.events.remove(event)).isTrue();
    }

    private static void replace(Scene scene, int at, RunEvent event) {
        scene.events.set(at, event);
    }

    /** Truncates the history of the scene after this many events, and ends it. */
    private static void end(Scene scene, RunEvent end, int after) {
        scene.events = new ArrayList<>(scene.events.subList(0, after));
        scene.events.add(end);
        scene.sandboxes.remove(1);
        scene.output = ticks(1, 1.5, 2);
        scene.exchanges.removeIf(exchange -> exchange.answer() instanceof Exchange.CurrentStatus);
    }
}
