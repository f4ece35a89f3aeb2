package dev.vivarium.node.network;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gives sandboxes a network, filtered outside of them. A sandbox is created without any network. Its policy is put in
 * force while only the guest runs in it, before the agent's first packet. Calls block where stated.
 */
public interface SandboxNetwork extends AutoCloseable {
    /** The modes that sandboxes can have here; always includes NONE. */
    Set<EgressPolicy.Mode> modes();

    /** Why a mode is not available, as a sentence that says what to do; empty when it is. */
    Optional<String> refusal(EgressPolicy.Mode mode);

    /** The DNS resolver's address for sandboxes with a network; empty when none can have one. */
    Optional<String> resolver();

    /**
     * Attaches the sandbox to its network. Blocks.
     *
     * @return environment variables by which its tools find the proxy and the local host
     * @throws DriverException with a sentence, when it cannot be attached completely; then the sandbox has no network
     */
    Map<String, String> attach(SandboxHandle sandbox, NetworkAccess access);

    /**
     * Creates the link of a sandbox that waits for a run, so that {@link #attach} need not. It has no policy until then, and must
     * run nothing but its guest. Blocks.
     *
     * @throws DriverException with a sentence, when it cannot be created; then the sandbox has none
     */
    void prepare(SandboxHandle waiting);

    /**
     * Stores the secrets that the policy adds to the sandbox's requests, by name; call before the agent runs. They are
     * kept nowhere else, and only until {@link #detach}.
     */
    void entrust(SandboxId id, Map<String, String> secrets);

    /** Removes the network of a sandbox that is gone. Idempotent. Blocks. */
    void detach(SandboxId id);

    /** The sandbox's network use as of the last count; nothing for one without a network. */
    EgressUse use(SandboxId id);

    /** The same, counted now. Blocks. */
    EgressUse useNow(SandboxId id);

    /** Stops attaching sandboxes. Attached ones keep their network and its filter until they end. */
    @Override
    void close();

    /**
     * For a machine where no network is available.
     *
     * @param why a sentence that says what to do
     */
    static SandboxNetwork none(String why) {
        return new SandboxNetwork() {
            @Override
            public Set<EgressPolicy.Mode> modes() {
                return Set.of(EgressPolicy.Mode.NONE);
            }

            @Override
            public Optional<String> refusal(EgressPolicy.Mode mode) {
                return mode == EgressPolicy.Mode.NONE ? Optional.empty() : Optional.of(why);
            }

            @Override
            public Optional<String> resolver() {
                return Optional.empty();
            }

            @Override
            public Map<String, String> attach(SandboxHandle sandbox, NetworkAccess access) {
                refusal(access.policy().mode()).ifPresent(sentence -> {
                    throw new DriverException(DriverException.Kind.REFUSED, sentence);
                });
                return Map.of();
            }

            @Override
            public void prepare(SandboxHandle waiting) {
                throw new DriverException(DriverException.Kind.REFUSED, why);
            }

            @Override
            public void entrust(SandboxId id, Map<String, String> secrets) {}

            @Override
            public void detach(SandboxId id) {}

            @Override
            public EgressUse use(SandboxId id) {
                return EgressUse.NOTHING;
            }

            @Override
            public EgressUse useNow(SandboxId id) {
                return EgressUse.NOTHING;
            }

            @Override
            public void close() {}
        };
    }
}
