package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.network.EgressUse;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.network.SandboxNetwork;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A network that does what a test scripts, and records what was asked of it. */
public final class ScriptedNetwork implements SandboxNetwork {
    private final Set<SandboxId> prepared = ConcurrentHashMap.newKeySet();
    private final Map<SandboxId, NetworkAccess> attached = new ConcurrentHashMap<>();
    private final Map<SandboxId, Map<String, String>> entrusted = new ConcurrentHashMap<>();
    private final Queue<RuntimeException> attachFailures = new ConcurrentLinkedQueue<>();

    /** The secrets that networks were given, by the sandbox whose requests they are for. */
    public Map<SandboxId, Map<String, String>> entrusted() {
        return Map.copyOf(entrusted);
    }

    /** The sandboxes that have a network now. */
    public Map<SandboxId, NetworkAccess> attached() {
        return Map.copyOf(attached);
    }

    public void failNextAttach(RuntimeException failure) {
        attachFailures.add(failure);
    }

    @Override
    public Set<EgressPolicy.Mode> modes() {
        return Set.of(EgressPolicy.Mode.values());
    }

    @Override
    public Optional<String> refusal(EgressPolicy.Mode mode) {
        return Optional.empty();
    }

    @Override
    public Optional<String> resolver() {
        return Optional.of("198.18.0.1");
    }

    @Override
    public void prepare(SandboxHandle waiting) {
        prepared.add(waiting.id());
    }

    /** The sandboxes that have got a link while they waited. */
    public Set<SandboxId> prepared() {
        return Set.copyOf(prepared);
    }

    @Override
    public Map<String, String> attach(SandboxHandle sandbox, NetworkAccess access) {
        RuntimeException failure = attachFailures.poll();
        if (failure != null) {
            throw failure;
        }
        attached.put(sandbox.id(), access);
        return Map.of();
    }

    @Override
    public void entrust(SandboxId id, Map<String, String> secrets) {
        entrusted.put(id, Map.copyOf(secrets));
    }

    @Override
    public void detach(SandboxId id) {
        attached.remove(id);
    }

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
}
