package dev.vivarium.node.admission;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.run.Runs;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The way from a valid submission to a run: gives it its id, seals its secrets and submits it. Safe for use by any
 * thread. Stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable} when the store is away; whether the
 * run exists is then unknown, and a retry under the same idempotency key finds out.
 */
public final class Admission {
    private final Runs runs;
    private final RunJournal journal;
    private final SecretVault vault;
    private final Executor slowDigests;
    private final Supplier<RunId> freshIds;
    private final OneAtATime keyed = new OneAtATime();

    /** @param slowDigests runs up to 100 ms of computation for a submission with secrets and an idempotency key */
    public Admission(Runs runs, RunJournal journal, SecretVault vault, Executor slowDigests) {
        this(
                runs,
                journal,
                vault,
                slowDigests,
                () -> new RunId(UlidCreator.getUlid().toLowerCase()));
    }

    Admission(Runs runs, RunJournal journal, SecretVault vault, Executor slowDigests, Supplier<RunId> freshIds) {
        this.runs = runs;
        this.journal = journal;
        this.vault = vault;
        this.slowDigests = slowDigests;
        this.freshIds = freshIds;
    }

    /** What became of a submission. */
    public sealed interface Decision {
        /** The run exists, durably. */
        record Accepted(RunState.Existing state) implements Decision {}

        /** The same submission was accepted before, under the same key; this is its run. */
        record AcceptedBefore(RunState.Existing state) implements Decision {}

        /** Another submission was accepted before under the same key. */
        record OtherSubmission(RunId id) implements Decision {}

        /** The node takes no new runs: it is leaving. */
        record Draining() implements Decision {}

        /** The node is full. */
        record Full(int liveRuns) implements Decision {}
    }

    /** Submits; with a key, the second time the same run is answered. */
    public CompletionStage<Decision> submit(Submission submission, Optional<IdempotencyKey> key) {
        if (key.isEmpty()) {
            return sealAndSubmit(freshIds.get(), submission, SubmissionName.digest(submission));
        }
        RunId id = SubmissionName.runId(submission.tenant(), key.get());
        // Retries overtake each other; one that was refused must not destroy the secrets' key of one that is accepted.
        return digest(submission, key.get())
                .thenCompose(digest -> keyed.after(id, () -> submitOnce(id, submission, digest)));
    }

    private CompletionStage<Blob> digest(Submission submission, IdempotencyKey key) {
        return submission.secrets().isEmpty()
                ? CompletableFuture.completedStage(SubmissionName.digest(submission))
                : CompletableFuture.supplyAsync(() -> SubmissionName.digest(submission, key), slowDigests);
    }

    private CompletionStage<Decision> submitOnce(RunId id, Submission submission, Blob digest) {
        return journal.state(id)
                .thenCompose(state -> state instanceof RunState.Existing existing
                        ? CompletableFuture.completedStage(known(existing, digest))
                        : sealAndSubmit(id, submission, digest));
    }

    private static Decision known(RunState.Existing state, Blob digest) {
        return state.submission().digest().equals(digest)
                ? new Decision.AcceptedBefore(state)
                : new Decision.OtherSubmission(state.submission().id());
    }

    private CompletionStage<Decision> sealAndSubmit(RunId id, Submission submission, Blob digest) {
        return seal(id, submission)
                .thenCompose(secrets -> runs.submit(id, submission.sealedWith(secrets), digest))
                .thenCompose(reply -> decide(id, submission, reply));
    }

    private CompletionStage<SealedSecrets> seal(RunId id, Submission submission) {
        Map<String, String> cleartext = submission.secrets().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().reveal()));
        return cleartext.isEmpty() ? CompletableFuture.completedStage(SealedSecrets.NONE) : vault.seal(id, cleartext);
    }

    private CompletionStage<Decision> decide(RunId id, Submission submission, Runs.SubmitReply reply) {
        if (reply instanceof Runs.SubmitReply.Accepted accepted) {
            return CompletableFuture.completedStage(new Decision.Accepted(accepted.state()));
        }
        if (reply instanceof Runs.SubmitReply.AcceptedBefore before) {
            return CompletableFuture.completedStage(new Decision.AcceptedBefore(before.state()));
        }
        if (reply instanceof Runs.SubmitReply.OtherSubmission other) {
            return CompletableFuture.completedStage(new Decision.OtherSubmission(other.id()));
        }
        Decision refusal = reply instanceof Runs.SubmitReply.Full full
                ? new Decision.Full(full.liveRuns())
                : new Decision.Draining();
        return shredUnlessBorn(id, submission).thenApply(done -> refusal);
    }

    /**
     * Destroys the key of a run that was refused. A failure to do so is not the client's: what is left over is a key to
     * nothing, since the ciphertext was never stored. For the same reason nothing is destroyed when a submission fails
     * with an unknown outcome: the run may exist.
     */
    private CompletionStage<?> shredUnlessBorn(RunId id, Submission submission) {
        if (submission.secrets().isEmpty()) {
            return CompletableFuture.completedStage(id);
        }
        return journal.state(id)
                .<Object>thenCompose(state -> state instanceof RunState.Existing
                        ? CompletableFuture.completedStage(id)
                        : vault.shred(id).thenApply(done -> id))
                .exceptionally(failure -> id);
    }
}
