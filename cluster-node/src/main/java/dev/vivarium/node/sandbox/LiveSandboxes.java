package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * The sandboxes that this node's actors own right now. An entry exists from before the sandbox is created until it is
 * known to be gone. So any sandbox of the engine without an entry is an orphan, and the next attempt of a run can wait
 * for the end of the previous one.
 */
public final class LiveSandboxes {
    private final Map<SandboxId, Entry> entries = new ConcurrentHashMap<>();
    /** The same entries by run: each new attempt looks up its run's, however many others there are. */
    private final Map<RunId, Set<Entry>> ofRuns = new ConcurrentHashMap<>();

    private record Entry(AttemptName attempt, ActorRef<Sandbox.Command> owner, CompletableFuture<Done> gone) {}

    void add(SandboxId id, AttemptName attempt, ActorRef<Sandbox.Command> owner) {
        Entry entry = new Entry(attempt, owner, new CompletableFuture<>());
        entries.put(id, entry);
        ofRuns.compute(attempt.run(), (run, before) -> {
            Set<Entry> now = before == null ? ConcurrentHashMap.newKeySet() : before;
            now.add(entry);
            return now;
        });
    }

    /** The sandbox is gone, or was left to the reaper. Idempotent. */
    void remove(SandboxId id) {
        Entry entry = entries.remove(id);
        if (entry != null) {
            ofRuns.computeIfPresent(entry.attempt.run(), (run, now) -> {
                now.remove(entry);
                return now.isEmpty() ? null : now;
            });
            entry.gone.complete(Done.getInstance());
        }
    }

    boolean owns(SandboxId id) {
        return entries.containsKey(id);
    }

    public int count() {
        return entries.size();
    }

    /** Completes when no sandbox of an earlier attempt of the run is left on this node. */
    CompletionStage<Done> goneBefore(AttemptName attempt) {
        return all(ofRuns.getOrDefault(attempt.run(), Set.of()).stream()
                .filter(entry -> entry.attempt.attempt() < attempt.attempt())
                .map(Entry::gone)
                .toList());
    }

    /** Completes when all sandboxes that are live now are gone. */
    public CompletionStage<Done> allGone() {
        return all(entries.values().stream().map(Entry::gone).toList());
    }

    /** Stops every live sandbox for this reason. */
    public void stopAll(KillReason reason) {
        entries.values().forEach(entry -> entry.owner.tell(new Sandbox.Stop(reason)));
    }

    /** Stops one sandbox for this reason; has no effect when it is gone. */
    void stop(SandboxId id, KillReason reason) {
        Entry entry = entries.get(id);
        if (entry != null) {
            entry.owner.tell(new Sandbox.Stop(reason));
        }
    }

    /** The ids of all live sandboxes. */
    public List<SandboxId> ids() {
        return List.copyOf(entries.keySet());
    }

    /** The runs that have a sandbox on this node. */
    public List<RunId> runs() {
        return List.copyOf(ofRuns.keySet());
    }

    private static CompletionStage<Done> all(List<CompletableFuture<Done>> stages) {
        return CompletableFuture.allOf(stages.toArray(CompletableFuture[]::new))
                .thenApply(nothing -> Done.getInstance());
    }
}
