package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.driver.SandboxId;
import java.time.Duration;
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
        KIT.spawn(Reaper.create(driver.sandboxes(), new LiveSandboxes(), members::get, INTERVAL));
        await().until(() -> driver.destroyed().contains(ofNobodyHere));
        assertThat(driver.destroyed()).doesNotContain(ofAMember, ofALostNode);

        members.set(Optional.of(Set.of("a", "b")));

        await().until(() -> driver.destroyed().contains(ofALostNode));
        assertThat(driver.destroyed()).doesNotContain(ofAMember);
    }

    @Test
    void aNodeThatIsUnsureOfTheMembersSweepsOnlyItsOwnSandboxes() {
        driver.leaveOf("c", ofALostNode);
        driver.leave(ofNobodyHere);
        KIT.spawn(Reaper.create(driver.sandboxes(), new LiveSandboxes(), Optional::empty, INTERVAL));

        await().until(() -> driver.destroyed().contains(ofNobodyHere));

        await().during(INTERVAL.multipliedBy(6)).until(() -> !driver.destroyed().contains(ofALostNode));
    }
}
