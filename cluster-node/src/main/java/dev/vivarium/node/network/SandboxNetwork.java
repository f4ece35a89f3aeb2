package dev.vivarium.node.network;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gives sandboxes a way out, filtered outside of them. A sandbox is made without any network; what it may reach is put in
 * while only its guest runs in it, so that no packet of an agent can be earlier than its policy. Calls that say so block.
 */
public interface SandboxNetwork extends AutoCloseable {
    /** The modes that sandboxes can have here, NONE always among them. */
    Set<EgressPolicy.Mode> modes();

    /** Why a mode cannot be had, as a sentence that says what to do; empty when it can. */
    Optional<String> refusal(EgressPolicy.Mode mode);

    /** The address at which sandboxes with a network ask for names; empty when none can have a network. */
    Optional<String> resolver();

    /** Variables by which tools in a sandbox with this policy find their way out. */
    Map<String, String> environment(EgressPolicy policy);

    /**
     * Gives the sandbox its network. Blocks.
     *
     * @throws DriverException with a sentence, when it cannot be given in full; then the sandbox has none
     */
    void attach(SandboxHandle sandbox, NetworkAccess access);

    /**
     * Gives the network the secrets that its policy adds to requests of the sandbox, by their names, before the agent runs.
     * They are kept nowhere else, and until {@link #detach} only.
     */
    void entrust(SandboxId id, Map<String, String> secrets);

    /** The sandbox is gone, and its network with it. Idempotent. Blocks. */
    void detach(SandboxId id);

    /** What the sandbox had done with its network when that was counted last; nothing for one without. */
    EgressUse use(SandboxId id);

    /** The same, counted for it. Blocks. */
    EgressUse useNow(SandboxId id);

    /** Gives no sandbox a network any more. Those that have one keep it, and its filter, until they end. */
    @Override
    void close();

    /**
     * Where there is no network to give.
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
            public Map<String, String> environment(EgressPolicy policy) {
                return Map.of();
            }

            @Override
            public void attach(SandboxHandle sandbox, NetworkAccess access) {
                refusal(access.policy().mode()).ifPresent(sentence -> {
                    throw new DriverException(DriverException.Kind.REFUSED, sentence);
                });
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
