package dev.vivarium.node.admission;

import dev.vivarium.node.admission.FileContents.Kept;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.SecretName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Turns a valid submission into a run: stores its files, assigns an id, holds the files for the run, seals its secrets
 * and submits it. Thread-safe. While the store is unavailable, stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable}, or answer {@link SubmitAnswer.NotDurable}; whether the run exists
 * is then unknown, and a retry under the same idempotency key finds out.
 */
public final class Admission {
    /** The most nodes that a run without an idempotency key is offered to. */
    private static final int FRESH_TRIES = 3;

    private final Runs runs;
    private final RunJournal journal;
    private final ClaimedKeys keys;
    private final SecretVault vault;
    private final NamedSecrets namedSecrets;
    private final BlobStore blobs;
    private final long disksInMemory;
    private final Rates rates;
    private final FileContents contents;
    private final OneAtATime keyed = new OneAtATime();

    /**
     * @param rates how fast tenants may submit
     * @param disksInMemory the largest disk of a sandbox that is in memory, in bytes
     */
    public Admission(
            Runs runs,
            RunJournal journal,
            ClaimedKeys keys,
            SecretVault vault,
            NamedSecrets namedSecrets,
            BlobStore blobs,
            Rates rates,
            long disksInMemory) {
        this.runs = runs;
        this.blobs = blobs;
        this.contents = new FileContents(blobs);
        this.journal = journal;
        this.keys = keys;
        this.vault = vault;
        this.namedSecrets = namedSecrets;
        this.rates = rates;
        this.disksInMemory = disksInMemory;
    }

    /** Submits. With a key, a repeated submission is answered with the first one's run. */
    public CompletionStage<SubmitAnswer> submit(Caller caller, Submission submission, Optional<IdempotencyKey> key) {
        if (key.isEmpty()) {
            Optional<SubmitAnswer> refusal = overQuota(submission);
            return refusal.isPresent()
                    ? CompletableFuture.completedStage(refusal.get())
                    : withFiles(
                            submission, files -> submitFresh(caller, submission.withoutFiles(), files, FRESH_TRIES));
        }
        Blob name = key.get().digest(submission.tenant());
        // Of concurrent retries, only the first needs to seal.
        return keyed.after(name, () -> submitKeyed(caller, name, submission));
    }

    /** Even when there is no slot: a retry of an accepted run is answered with that run. */
    private CompletionStage<SubmitAnswer> submitKeyed(Caller caller, Blob name, Submission submission) {
        Placed place = runs.place(needs(submission));
        return keys.claim(name, place.id()).thenCompose(id -> submitOnce(caller, id, place, submission));
    }

    /** Before anything is stored; the node that the run comes to looks at the quotas again. */
    private Optional<SubmitAnswer> overQuota(Submission submission) {
        return rates.ask(submission.tenant(), Quota.SUBMISSIONS)
                .<SubmitAnswer>map(fast -> new SubmitAnswer.OverQuota(fast.excess(), Optional.of(fast.after())))
                .or(() -> runs.excess(submission.tenant(), asked(submission)).map(SubmitAnswer.OverQuota::new));
    }

    /** Files in the body are stored for the tenant, unless it has them already. */
    private static TenantUse asked(Submission submission) {
        long files = submission.files().values().stream()
                .mapToLong(file -> file instanceof RequestedFile.Inline inline
                        ? inline.content().length()
                        : 0)
                .sum();
        return TenantUse.of(submission.limits(), submission.egress(), submission.artifacts())
                .plus(TenantUse.ofKept(files));
    }

    private Capacity needs(Submission submission) {
        return Capacity.askedBy(submission.limits(), submission.isolation(), disksInMemory);
    }

    /**
     * Continues when the tenant has the secrets that the submission names. Another tenant's is one that there is not. Their
     * values are looked up when an attempt starts.
     */
    private CompletionStage<SubmitAnswer> withSecrets(
            Submission submission, Supplier<CompletionStage<SubmitAnswer>> next) {
        return namedSecrets
                .missing(
                        submission.tenant(),
                        Set.copyOf(submission.namedSecrets().values()))
                .thenCompose(missing -> missing.isEmpty()
                        ? next.get()
                        : CompletableFuture.completedStage(
                                new SubmitAnswer.UnknownSecrets(unknown(submission, missing))));
    }

    private static List<FieldError> unknown(Submission submission, Set<SecretName> missing) {
        return new TreeMap<>(submission.namedSecrets())
                .entrySet().stream()
                        .filter(secret -> missing.contains(secret.getValue()))
                        .map(secret -> new FieldError(
                                "namedSecrets." + secret.getKey(),
                                "names " + secret.getValue() + ", and tenant " + submission.tenant()
                                        + " has no secret of that name: put it with `vivarium secret put "
                                        + secret.getValue() + "`, or correct the name"))
                        .toList();
    }

    /** Continues with the secrets known and the files in the store; their contents are not in memory from here on. */
    private CompletionStage<SubmitAnswer> withFiles(
            Submission submission, Function<Kept.References, CompletionStage<SubmitAnswer>> next) {
        return withSecrets(submission, () -> contents.keep(submission)
                .thenCompose(kept -> kept instanceof Kept.References references
                        ? next.apply(references)
                        : CompletableFuture.completedStage(
                                new SubmitAnswer.InvalidFiles(((Kept.Refused) kept).errors()))));
    }

    /** The nodes' loads are slightly out of date: a run that finds no slot at one node is offered to another. */
    private CompletionStage<SubmitAnswer> submitFresh(
            Caller caller, Submission submission, Kept.References files, int tries) {
        Placed place = runs.place(needs(submission));
        if (place instanceof Placed.Refused refused) {
            return CompletableFuture.completedStage(refused.answer());
        }
        Placed.Room room = (Placed.Room) place;
        return holdAndSubmit(tries > 1 ? room : room.queueing(), caller, submission, files)
                .thenCompose(answer -> isFull(answer) && tries > 1
                        ? submitFresh(caller, submission, files, tries - 1)
                        : CompletableFuture.completedStage(answer));
    }

    private static boolean isFull(SubmitAnswer answer) {
        return answer instanceof SubmitAnswer.Full || answer instanceof SubmitAnswer.TenantFull;
    }

    private CompletionStage<SubmitAnswer> submitOnce(Caller caller, RunId id, Placed place, Submission submission) {
        return journal.state(id)
                .thenCompose(state -> state instanceof RunState.Existing existing
                        ? known(existing, submission)
                        : submitClaimed(caller, id, place, submission));
    }

    /** The id that an earlier try has claimed may belong to another shard than the one just generated. */
    private CompletionStage<SubmitAnswer> submitClaimed(Caller caller, RunId id, Placed place, Submission submission) {
        Optional<SubmitAnswer> refusal = overQuota(submission);
        if (refusal.isPresent()) {
            return CompletableFuture.completedStage(refusal.get());
        }
        Placed claimed = place.id().equals(id) ? place : runs.placeNamed(id, needs(submission));
        return claimed instanceof Placed.Refused refused
                ? CompletableFuture.completedStage(refused.answer())
                : withFiles(
                        submission,
                        files -> holdAndSubmit(
                                ((Placed.Room) claimed).queueing().claimed(),
                                caller,
                                submission.withoutFiles(),
                                files));
    }

    /**
     * Whether a retry equals the first submission: the same body, or another one that asks for the same. The journaled
     * digest for that outlives the run's secrets and
     * therefore covers none of their values: even a keyed digest would let an attacker with the key guess short ones.
     * So the secrets themselves are compared while the run lives and they can be opened; after its end only their names
     * are compared.
     */
    private CompletionStage<SubmitAnswer> known(RunState.Existing run, Submission submission) {
        SubmitAnswer other = new SubmitAnswer.OtherSubmission(run.submission().id());
        SubmitAnswer before = new SubmitAnswer.AcceptedBefore(run);
        boolean same = run.submission().digest().equals(submission.bodyDigest())
                || submission.asksFor(run.submission().spec());
        if (!same) {
            return CompletableFuture.completedStage(other);
        }
        if (submission.secrets().isEmpty() || !(run instanceof RunState.Live)) {
            return CompletableFuture.completedStage(before);
        }
        return vault.open(run.submission().id(), run.submission().spec().secrets())
                .thenApply(opened -> opened.equals(cleartext(submission)) ? before : other)
                .exceptionally(failure -> {
                    if (StageFailure.cause(failure) instanceof SecretVault.KeyDestroyed) {
                        return before;
                    }
                    throw new CompletionException(StageFailure.cause(failure));
                });
    }

    /** The files are held before the run is durable, so that no sweep deletes them in between. */
    private CompletionStage<SubmitAnswer> holdAndSubmit(
            Placed.Room room, Caller caller, Submission submission, Kept.References files) {
        return hold(room.id(), submission, files)
                .thenCompose(hold -> hold instanceof BlobStore.Hold.Missing missing
                        ? CompletableFuture.completedStage(
                                new SubmitAnswer.InvalidFiles(FileContents.gone(missing.digests())))
                        : sealAndSubmit(room, caller, submission, files));
    }

    private CompletionStage<BlobStore.Hold> hold(RunId id, Submission submission, Kept.References files) {
        return files.digests().isEmpty()
                ? CompletableFuture.completedStage(new BlobStore.Hold.Held())
                : blobs.hold(submission.tenant(), files.digests(), id);
    }

    private CompletionStage<SubmitAnswer> sealAndSubmit(
            Placed.Room room, Caller caller, Submission submission, Kept.References files) {
        return seal(room.id(), submission)
                .thenCompose(secrets ->
                        runs.submit(room, caller, submission.spec(secrets, files.files()), submission.bodyDigest()))
                .thenCompose(answer -> settle(room, submission, files, answer));
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

    /** Answers the client after cleaning up secrets and files that the submission does not need. */
    private CompletionStage<SubmitAnswer> settle(
            Placed.Room room, Submission submission, Kept.References files, SubmitAnswer answer) {
        if (answer instanceof SubmitAnswer.Accepted || answer instanceof SubmitAnswer.NotDurable) {
            return CompletableFuture.completedStage(answer);
        }
        CompletionStage<SubmitAnswer> settled = answer instanceof SubmitAnswer.AcceptedBefore before
                ? known(before.run(), submission)
                : CompletableFuture.completedStage(answer);
        return settled.thenCompose(
                given -> dropUnlessWanted(room, submission, files).thenApply(done -> given));
    }

    /**
     * Destroys the key created for a run that was not submitted, and releases its files. If a retry may be in flight on
     * another node, which has sealed its secrets with the same key and may be accepted a moment later, both are kept,
     * as they are when a submission's outcome is unknown. The store's sweeps remove what is left over, so a failure
     * here does not concern the client.
     */
    private CompletionStage<?> dropUnlessWanted(Placed.Room room, Submission submission, Kept.References files) {
        RunId id = room.id();
        if (submission.secrets().isEmpty() && files.digests().isEmpty()) {
            return CompletableFuture.completedStage(id);
        }
        return journal.state(id)
                .<Object>thenCompose(state -> isWanted(state, room.name())
                        ? CompletableFuture.completedStage(id)
                        : drop(id, submission, files))
                .exceptionally(failure -> id);
    }

    private CompletionStage<Object> drop(RunId id, Submission submission, Kept.References files) {
        CompletionStage<?> released =
                files.digests().isEmpty() ? CompletableFuture.completedStage(id) : blobs.release(id);
        CompletionStage<?> shredded =
                submission.secrets().isEmpty() ? CompletableFuture.completedStage(id) : vault.shred(id);
        return released.thenCombine(shredded, (some, others) -> id);
    }

    private static boolean isWanted(RunState state, Placed.Name name) {
        return state instanceof RunState.Live || (state instanceof RunState.Unborn && name == Placed.Name.CLAIMED);
    }
}
