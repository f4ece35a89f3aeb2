package dev.vivarium.node.admission;

import dev.vivarium.node.admission.FileContents.Kept;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The way from a valid submission to a run: keeps its files, gives it its id, holds its files for it, seals its secrets and
 * submits it. Safe for use by any thread. When the store is away stages fail with {@link dev.vivarium.persistence.journal.StoreUnavailable}, or answer
 * {@link SubmitAnswer.NotDurable}; whether the run exists is then unknown, and a retry under the same idempotency key
 * finds out.
 */
public final class Admission {
    /** How many nodes a run without an idempotency key is offered to, at most. */
    private static final int FRESH_TRIES = 3;

    private final Runs runs;
    private final RunJournal journal;
    private final ClaimedKeys keys;
    private final SecretVault vault;
    private final BlobStore blobs;
    private final FileContents contents;
    private final OneAtATime keyed = new OneAtATime();

    public Admission(Runs runs, RunJournal journal, ClaimedKeys keys, SecretVault vault, BlobStore blobs) {
        this.runs = runs;
        this.blobs = blobs;
        this.contents = new FileContents(blobs);
        this.journal = journal;
        this.keys = keys;
        this.vault = vault;
    }

    /** Submits; with a key, the second time the same run is answered. */
    public CompletionStage<SubmitAnswer> submit(Principal caller, Submission submission, Optional<IdempotencyKey> key) {
        if (key.isEmpty()) {
            return withFiles(submission, files -> submitFresh(caller, submission.withoutFiles(), files, FRESH_TRIES));
        }
        Blob name = key.get().digest(submission.tenant());
        // Of retries at the same time all but the first need seal nothing.
        return keyed.after(name, () -> submitKeyed(caller, name, submission));
    }

    /** Also when there is no room: a retry of a run that was accepted is answered with it. */
    private CompletionStage<SubmitAnswer> submitKeyed(Principal caller, Blob name, Submission submission) {
        Placed place = runs.place(needs(submission));
        return keys.claim(name, place.id()).thenCompose(id -> submitOnce(caller, id, place, submission));
    }

    private static Capacity needs(Submission submission) {
        return Capacity.askedBy(submission.limits());
    }

    /** Who else may submit a run under the same name. */
    private enum Name {
        /** Nobody: it was made for this submission. */
        OWN,
        /** Retries, on whichever node. */
        CLAIMED
    }

    /** Goes on with the files in the store; from there on nothing keeps what is in them. */
    private CompletionStage<SubmitAnswer> withFiles(
            Submission submission, Function<Kept.References, CompletionStage<SubmitAnswer>> next) {
        return contents.keep(submission)
                .thenCompose(kept -> kept instanceof Kept.References references
                        ? next.apply(references)
                        : CompletableFuture.completedStage(
                                new SubmitAnswer.InvalidFiles(((Kept.Refused) kept).errors())));
    }

    /** Where a run is born is only known as of a moment ago: one that finds no room there is offered elsewhere. */
    private CompletionStage<SubmitAnswer> submitFresh(
            Principal caller, Submission submission, Kept.References files, int tries) {
        Placed place = runs.place(needs(submission));
        if (place instanceof Placed.Refused refused) {
            return CompletableFuture.completedStage(refused.answer());
        }
        Placed.Room room = (Placed.Room) place;
        return holdAndSubmit(tries > 1 ? room : room.queueing(), Name.OWN, caller, submission, files)
                .thenCompose(answer -> isFull(answer) && tries > 1
                        ? submitFresh(caller, submission, files, tries - 1)
                        : CompletableFuture.completedStage(answer));
    }

    private static boolean isFull(SubmitAnswer answer) {
        return answer instanceof SubmitAnswer.Full || answer instanceof SubmitAnswer.TenantFull;
    }

    private CompletionStage<SubmitAnswer> submitOnce(Principal caller, RunId id, Placed place, Submission submission) {
        return journal.state(id)
                .thenCompose(state -> state instanceof RunState.Existing existing
                        ? known(existing, submission)
                        : submitClaimed(caller, id, place, submission));
    }

    /** A name that an earlier try has claimed may lie elsewhere than the one that was just made. */
    private CompletionStage<SubmitAnswer> submitClaimed(
            Principal caller, RunId id, Placed place, Submission submission) {
        Placed claimed = place.id().equals(id) ? place : runs.placeNamed(id, needs(submission));
        return claimed instanceof Placed.Refused refused
                ? CompletableFuture.completedStage(refused.answer())
                : withFiles(
                        submission,
                        files -> holdAndSubmit(
                                ((Placed.Room) claimed).queueing(),
                                Name.CLAIMED,
                                caller,
                                submission.withoutFiles(),
                                files));
    }

    /**
     * Whether a retry says the same as the first time. What is journaled for that outlives the run's secrets, so it covers
     * none of their values: a digest, keyed with whatever the client holds as well, would be an oracle for short ones. So
     * the secrets themselves are compared for as long as the run lives and they can be opened; after its end nobody can,
     * and the names must do.
     */
    private CompletionStage<SubmitAnswer> known(RunState.Existing run, Submission submission) {
        SubmitAnswer other = new SubmitAnswer.OtherSubmission(run.submission().id());
        SubmitAnswer before = new SubmitAnswer.AcceptedBefore(run);
        if (!run.submission().digest().equals(submission.bodyDigest())) {
            return CompletableFuture.completedStage(other);
        }
        if (submission.secrets().isEmpty() || !(run instanceof RunState.Live)) {
            return CompletableFuture.completedStage(before);
        }
        return vault.open(run.submission().id(), run.submission().spec().secrets())
                .thenApply(opened -> opened.equals(cleartext(submission)) ? before : other)
                .exceptionally(failure -> {
                    if (cause(failure) instanceof SecretVault.KeyDestroyed) {
                        return before;
                    }
                    throw new CompletionException(cause(failure));
                });
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** Before the run is durable its files are held for it, so that no sweep comes between. */
    private CompletionStage<SubmitAnswer> holdAndSubmit(
            Placed.Room room, Name name, Principal caller, Submission submission, Kept.References files) {
        return hold(room.id(), submission, files)
                .thenCompose(hold -> hold instanceof BlobStore.Hold.Missing missing
                        ? CompletableFuture.completedStage(
                                new SubmitAnswer.InvalidFiles(FileContents.gone(missing.digests())))
                        : sealAndSubmit(room, name, caller, submission, files));
    }

    private CompletionStage<BlobStore.Hold> hold(RunId id, Submission submission, Kept.References files) {
        return files.digests().isEmpty()
                ? CompletableFuture.completedStage(new BlobStore.Hold.Held())
                : blobs.hold(submission.tenant().name(), files.digests(), id);
    }

    private CompletionStage<SubmitAnswer> sealAndSubmit(
            Placed.Room room, Name name, Principal caller, Submission submission, Kept.References files) {
        return seal(room.id(), submission)
                .thenCompose(secrets ->
                        runs.submit(room, caller, submission.spec(secrets, files.files()), submission.bodyDigest()))
                .thenCompose(answer -> settle(room.id(), name, submission, files, answer));
    }

    private CompletionStage<SealedSecrets> seal(RunId id, Submission submission) {
        return submission.secrets().isEmpty()
                ? CompletableFuture.completedStage(SealedSecrets.NONE)
                : vault.seal(id, cleartext(submission));
    }

    private static Map<String, String> cleartext(Submission submission) {
        return submission.secrets().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().reveal()));
    }

    /** What the client is answered, once nothing is left of secrets and files that were kept for nothing. */
    private CompletionStage<SubmitAnswer> settle(
            RunId id, Name name, Submission submission, Kept.References files, SubmitAnswer answer) {
        if (answer instanceof SubmitAnswer.Accepted || answer instanceof SubmitAnswer.NotDurable) {
            return CompletableFuture.completedStage(answer);
        }
        CompletionStage<SubmitAnswer> settled = answer instanceof SubmitAnswer.AcceptedBefore before
                ? known(before.run(), submission)
                : CompletableFuture.completedStage(answer);
        return settled.thenCompose(
                given -> dropUnlessWanted(id, name, submission, files).thenApply(done -> given));
    }

    /**
     * Destroys the key that was made for a run that did not come to life by it, and releases its files. Where a retry may be
     * under way on another node, which has sealed its secrets with the same key and is accepted a moment later, both are left
     * alone, as they are when a submission fails with an unknown outcome. What is left over the store looks for itself, so a
     * failure here is not the client's either.
     */
    private CompletionStage<?> dropUnlessWanted(RunId id, Name name, Submission submission, Kept.References files) {
        if (submission.secrets().isEmpty() && files.digests().isEmpty()) {
            return CompletableFuture.completedStage(id);
        }
        return journal.state(id)
                .<Object>thenCompose(state ->
                        isWanted(state, name) ? CompletableFuture.completedStage(id) : drop(id, submission, files))
                .exceptionally(failure -> id);
    }

    private CompletionStage<Object> drop(RunId id, Submission submission, Kept.References files) {
        CompletionStage<?> released =
                files.digests().isEmpty() ? CompletableFuture.completedStage(id) : blobs.release(id);
        CompletionStage<?> shredded =
                submission.secrets().isEmpty() ? CompletableFuture.completedStage(id) : vault.shred(id);
        return released.thenCombine(shredded, (some, others) -> id);
    }

    private static boolean isWanted(RunState state, Name name) {
        return state instanceof RunState.Live || (state instanceof RunState.Unborn && name == Name.CLAIMED);
    }
}
