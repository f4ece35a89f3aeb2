package dev.vivarium.node.run;

import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import org.slf4j.Logger;

/** The clean-up after a run's durable end. */
final class RunFarewell {
    private final RunId id;
    private final RunEnvironment environment;
    private final RunSlot slot;
    private final RunWatchers watchers;
    private final RunMemory memory;
    private final Logger log;

    RunFarewell(
            RunId id, RunEnvironment environment, RunSlot slot, RunWatchers watchers, RunMemory memory, Logger log) {
        this.id = id;
        this.environment = environment;
        this.slot = slot;
        this.watchers = watchers;
        this.memory = memory;
        this.log = log;
    }

    /** The run has just ended. */
    void ended(JournaledRun journaled) {
        RunState.Finished run = (RunState.Finished) journaled.state();
        environment.metrics().ended(run);
        log.info(
                "Run {} {}{} after attempt {}.",
                id,
                run.status(),
                run.reason().map(reason -> " (" + reason + ")").orElse(""),
                run.attempt());
        // Before its limit counts no more.
        environment
                .slots()
                .keptLately()
                .printed(run.submission().spec().tenant(), run.end().usage().get(Limit.OUTPUT));
        slot.leave();
        watchers.announce(journaled);
        if (memory.isForgottenWithEnd(run)) {
            memory.leave();
        } else {
            release(run);
        }
    }

    /** Whether something of the run outlives its last event. */
    static boolean hasToRelease(RunSpec spec) {
        return !spec.secrets().names().isEmpty() || !spec.files().isEmpty();
    }

    /** Releases what outlives the run's end, and last removes the run from the store's memory; idempotent. */
    void release(RunState.Finished run) {
        if (!run.submission().spec().secrets().names().isEmpty()) {
            shred();
        }
        if (!run.submission().spec().files().isEmpty()) {
            releaseBlobs();
        }
        memory.forget();
    }

    private void releaseBlobs() {
        environment.sandbox().store().blobs().release(id).whenComplete((done, failure) -> {
            if (failure != null) {
                log.warn("The files of run {} are kept for longer than needed: {}", id, failure.getMessage());
            }
        });
    }

    private void shred() {
        environment.sandbox().store().secrets().shred(id).whenComplete((done, failure) -> {
            if (failure != null) {
                log.error("The key to the secrets of run {} is not destroyed yet: {}", id, failure.getMessage());
            }
        });
    }
}
