package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunId;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class NodeSandboxesTest {
    private static final SandboxId ID = new SandboxId("01k00000000000000000000001");
    private static final AttemptName ATTEMPT = new AttemptName(new RunId("01k00000000000000000000009"), 1);
    private static final NetworkAccess INTERNET = new NetworkAccess(EgressPolicy.publicInternet(), 10);
    private static final NetworkAccess NOTHING = new NetworkAccess(new EgressPolicy(EgressPolicy.Mode.NONE), 10);

    private final ScriptedDriver driver = new ScriptedDriver();
    private final NodeSandboxes sandboxes = driver.sandboxes();

    @Test
    void theNetworkIsAttachedAndDetachedWithItsSandbox() {
        make(INTERNET).toCompletableFuture().join();
        assertThat(driver.network().attached()).containsEntry(ID, INTERNET);

        sandboxes.destroy(ID).toCompletableFuture().join();

        assertThat(driver.live()).isEmpty();
        assertThat(driver.network().attached()).isEmpty();
    }

    @Test
    void whenAttachingFailsTheSandboxIsDestroyedBeforeTheFailureIsReported() {
        driver.network().failNextAttach(new DriverException(DriverException.Kind.REFUSED, "No addresses are left."));

        assertThatThrownBy(() -> make(INTERNET).toCompletableFuture().join())
                .hasRootCauseMessage("No addresses are left.");

        assertThat(driver.destroyed()).containsExactly(ID);
        assertThat(driver.network().attached()).isEmpty();
    }

    @Test
    void aSandboxWithoutEgressGetsNoNetwork() {
        make(NOTHING).toCompletableFuture().join();

        assertThat(driver.network().attached()).isEmpty();
    }

    @Test
    void earlierAttemptsAreDestroyedWithTheirNetworks() {
        make(INTERNET).toCompletableFuture().join();

        int destroyed = sandboxes
                .destroyBefore(new AttemptName(ATTEMPT.run(), 2))
                .toCompletableFuture()
                .join();

        assertThat(destroyed).isOne();
        assertThat(driver.live()).isEmpty();
        assertThat(driver.network().attached()).isEmpty();
    }

    private CompletionStage<?> make(NetworkAccess access) {
        SandboxTemplate template = new SandboxTemplate(
                "any",
                Isolation.CONTAINER,
                Limits.SMALLEST
                        .with(Limit.CPU, "1")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.PIDS, 64L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty());
        return sandboxes.make(ID, template, new Purpose.ForAttempt(ATTEMPT), access, new ChannelListener() {
            @Override
            public void onFrame(GuestFrame frame) {}

            @Override
            public void onClosed(ClosedBecause why) {}
        });
    }
}
