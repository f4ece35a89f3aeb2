package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.doubles.ListedActs;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.act.Act;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ReaperTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final Duration INTERVAL = Duration.ofMillis(50);

    private final ScriptedDriver driver = new ScriptedDriver();
    private final ListedActs acts = new ListedActs();
    private final SandboxId ofAMember = new SandboxId("01k00000000000000000000001");
    private final SandboxId ofALostNode = new SandboxId("01k00000000000000000000002");
    private final SandboxId ofNobodyHere = new SandboxId("01k00000000000000000000003");

    @AfterAll
    static void shutDown() {
        KIT.shutdownTestKit();
    }

    @Test
    void sandboxesOfFormerMembersAreSweptAndThoseOfMembersAreNot() {
        AtomicReference<Optional<Set<String>>> members = new AtomicReference<>(Optional.of(Set.of("a", "b", "c")));
        driver.leaveOf("b", ofAMember);
        driver.leaveOf("c", ofALostNode);
        driver.leave(ofNobodyHere);
        KIT.spawn(Reaper.create(driver.sandboxes(), new LiveSandboxes(), members::get, acts, INTERVAL));
        await().until(() -> driver.destroyed().contains(ofNobodyHere));
        assertThat(driver.destroyed()).doesNotContain(ofAMember, ofALostNode);

        members.set(Optional.of(Set.of("a", "b")));

        await().until(() -> driver.destroyed().contains(ofALostNode));
        assertThat(driver.destroyed()).doesNotContain(ofAMember);
        await().untilAsserted(() ->
                assertThat(acts.all).containsExactly(reaped(ofNobodyHere.toString()), reaped(ofALostNode.toString())));
    }

    private static Act reaped(String sandbox) {
        return new Act.SandboxesReaped(ListedActs.AT, "node-1", 1, List.of(sandbox));
    }

    @Test
    void aNodeThatIsUnsureOfTheMembersSweepsOnlyItsOwnSandboxes() {
        driver.leaveOf("c", ofALostNode);
        driver.leave(ofNobodyHere);
        KIT.spawn(Reaper.create(driver.sandboxes(), new LiveSandboxes(), Optional::empty, acts, INTERVAL));

        await().until(() -> driver.destroyed().contains(ofNobodyHere));

        await().during(INTERVAL.multipliedBy(6)).until(() -> !driver.destroyed().contains(ofALostNode));
    }
}
