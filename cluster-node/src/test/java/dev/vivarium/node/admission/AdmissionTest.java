package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.doubles.InMemoryBlobs;
import dev.vivarium.node.doubles.InMemoryNamedSecrets;
import dev.vivarium.node.doubles.InMemoryRuns;
import dev.vivarium.node.doubles.InMemoryVault;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.node.tenant.Rates;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final Rates RATES = new Rates(tenant -> Quotas.NONE, System::nanoTime);
    private static final Caller CALLER = new Caller(Principal.LOCAL_OPERATOR, Optional.empty(), Instant.MAX);
    private static final String WITH_SECRET =
            "{\"image\": \"a\", \"command\": [\"x\"], \"secrets\": {\"PIN\": \"1234\"}, \"labels\": {\"tenant\":"
                    + " \"t1\"}}";

    private final InMemoryRuns runs = new InMemoryRuns();
    private final InMemoryVault vault = new InMemoryVault();
    private final InMemoryBlobs blobs = new InMemoryBlobs();
    private final InMemoryNamedSecrets namedSecrets = new InMemoryNamedSecrets();
    private final Admission admission =
            new Admission(runs, runs, runs, vault, namedSecrets.secrets(), blobs, RATES, Long.MAX_VALUE);

    @Test
    void anAcceptedRunHasASpecWithSealedSecretsAndAFreshId() {
        RunState.Existing first = accepted(submit(WITH_SECRET, ""));
        RunState.Existing second = accepted(submit(WITH_SECRET, ""));

        assertThat(first.submission().id()).isNotEqualTo(second.submission().id());
        assertThat(first.submission().spec().secrets().names()).containsExactly("PIN");
        assertThat(first.submission().spec().secrets().ciphertext()).isEqualTo(Blob.ofUtf8("sealed 1"));
        assertThat(first.submission().spec().tenant()).isEqualTo(new Tenant("t1"));
        assertThat(vault.holdsKeyOf(first.submission().id())).isTrue();
    }

    @Test
    void aRetryUnderTheSameKeyReturnsTheSameRunAndSealsNothing() {
        RunState.Existing first = accepted(submit(WITH_SECRET, "k"));

        SubmitAnswer retry = submit(WITH_SECRET.replace(", ", " ,\n"), "k");

        assertThat(retry).isEqualTo(new SubmitAnswer.AcceptedBefore(first));
        assertThat(vault.seals()).isEqualTo(1);
        assertThat(runs.submissions()).isEqualTo(1);
    }

    @Test
    void anotherBodyUnderTheSameKeyIsAConflictAndKeepsTheFirstRunsKey() {
        RunId first = accepted(submit(WITH_SECRET, "k")).submission().id();

        assertThat(submit(WITH_SECRET.replace("\"x\"", "\"y\""), "k"))
                .isEqualTo(new SubmitAnswer.OtherSubmission(first));
        assertThat(vault.holdsKeyOf(first)).isTrue();
    }

    @Test
    void aBodyThatSpellsOutADefaultIsTheSameSubmission() {
        RunState.Existing first = accepted(submit(WITH_FILE, "k"));

        String spelledOut = WITH_FILE.replaceFirst(
                "\\{",
                "{\"workdir\":\"/workspace\",\"onNodeLoss\":\"restart\",\"egress\":{\"mode\":\"public\",\"allow\":[],\"inject\":[]},\"limits\":{\"wallClock\":\"300s\",\"cpu\":\"1000m\"},");
        assertThat(submit(spelledOut, "k")).isEqualTo(new SubmitAnswer.AcceptedBefore(first));
        assertThat(submit(spelledOut.replace("300s", "301s"), "k")).isInstanceOf(SubmitAnswer.OtherSubmission.class);
    }

    @Test
    void anotherSecretUnderTheSameKeyIsAConflict() {
        accepted(submit(WITH_SECRET, "k"));

        assertThat(submit(WITH_SECRET.replace("1234", "1235"), "k")).isInstanceOf(SubmitAnswer.OtherSubmission.class);
    }

    @Test
    void anIdempotencyKeyBelongsToTheSameRunOnEveryNode() {
        RunState.Existing first = accepted(submit(WITH_SECRET, "k"));

        Admission elsewhere =
                new Admission(runs, runs, runs, vault, namedSecrets.secrets(), blobs, RATES, Long.MAX_VALUE);

        assertThat(elsewhere
                        .submit(CALLER, Samples.valid(WITH_SECRET), key("k"))
                        .toCompletableFuture()
                        .join())
                .isEqualTo(new SubmitAnswer.AcceptedBefore(first));
    }

    @Test
    void theSameKeyOfAnotherTenantIsAnotherRun() {
        RunId first = accepted(submit(WITH_SECRET, "k")).submission().id();
        RunId second = accepted(submit(WITH_SECRET.replace("t1", "t2"), "k"))
                .submission()
                .id();

        assertThat(second).isNotEqualTo(first);
    }

    @Test
    void theJournaledDigestRevealsNoSecretEvenToTheHolderOfTheIdempotencyKey() {
        RunState.Existing run = accepted(submit(WITH_SECRET, "k"));

        InMemoryRuns otherRuns = new InMemoryRuns();
        Admission other = new Admission(
                otherRuns,
                otherRuns,
                otherRuns,
                new InMemoryVault(),
                namedSecrets.secrets(),
                blobs,
                RATES,
                Long.MAX_VALUE);
        RunState.Existing guess =
                accepted(other.submit(CALLER, Samples.valid(WITH_SECRET.replace("1234", "9999")), key("k"))
                        .toCompletableFuture()
                        .join());

        assertThat(guess.submission().digest()).isEqualTo(run.submission().digest());
    }

    @Test
    void afterTheEndRetriesAreComparedWithoutTheValuesOfSecrets() {
        RunId run = accepted(submit(WITH_SECRET, "k")).submission().id();
        cancel(run);
        vault.shred(run);

        SubmitAnswer before = new SubmitAnswer.AcceptedBefore(runs.stateOf(run));
        assertThat(submit(WITH_SECRET, "k")).isEqualTo(before);
        assertThat(submit(WITH_SECRET.replace("1234", "9999"), "k")).isEqualTo(before);
        assertThat(submit(WITH_SECRET.replace("PIN", "PAN"), "k")).isEqualTo(new SubmitAnswer.OtherSubmission(run));
        assertThat(submit(WITH_SECRET.replace("\"x\"", "\"y\""), "k")).isEqualTo(new SubmitAnswer.OtherSubmission(run));
        assertThat(vault.keys()).isZero();
    }

    @Test
    void aRetryOfARunThatEndsDuringTheComparisonOfSecretsIsTheSameRun() {
        RunState.Existing run = accepted(submit(WITH_SECRET, "k"));
        vault.shred(run.submission().id());

        assertThat(submit(WITH_SECRET, "k")).isEqualTo(new SubmitAnswer.AcceptedBefore(run));
    }

    @Test
    void aSubmissionThatOnlyTheEntityKnowsIsComparedInTheSameWay() {
        RunState.Existing run = accepted(submit(WITH_SECRET, ""));
        RunId id = run.submission().id();
        // As if another node had accepted the run after this one had read the journal.
        Admission late = new Admission(runs, runs, runs, vault, namedSecrets.secrets(), blobs, RATES, Long.MAX_VALUE);
        runs.placeAs(id);

        assertThat(late.submit(CALLER, Samples.valid(WITH_SECRET), Optional.empty()))
                .isCompletedWithValue(new SubmitAnswer.AcceptedBefore(run));
        assertThat(late.submit(CALLER, Samples.valid(WITH_SECRET.replace("1234", "1235")), Optional.empty()))
                .isCompletedWithValue(new SubmitAnswer.OtherSubmission(id));
        assertThat(vault.holdsKeyOf(id)).isTrue();

        vault.shred(id);
        cancel(id);
        assertThat(late.submit(CALLER, Samples.valid(WITH_SECRET), Optional.empty()))
                .isCompletedWithValue(new SubmitAnswer.AcceptedBefore(runs.stateOf(id)));
        assertThat(vault.keys()).isZero();
    }

    @Test
    void concurrentRetriesAreOneRunWithOneKey() {
        List<CompletionStage<SubmitAnswer>> all = IntStream.range(0, 20)
                .mapToObj(index -> admission.submit(CALLER, Samples.valid(WITH_SECRET), key("k")))
                .toList();

        assertThat(all.stream()
                        .map(stage -> stage.toCompletableFuture().join())
                        .filter(SubmitAnswer.Accepted.class::isInstance))
                .hasSize(1);
        assertThat(vault.seals()).isEqualTo(1);
    }

    @Test
    void aRefusedRunLeavesNoKeyBehind() {
        runs.refuseWith(new SubmitAnswer.Full(7));
        assertThat(submit(WITH_SECRET, "")).isEqualTo(new SubmitAnswer.Full(7));

        runs.refuseWith(new SubmitAnswer.Draining());
        assertThat(submit(WITH_SECRET, "")).isEqualTo(new SubmitAnswer.Draining());

        // It is offered to at most three nodes that may have room.
        assertThat(vault.seals()).isEqualTo(4);
        assertThat(vault.keys()).isZero();
    }

    @Test
    void aRefusedRetryKeepsTheSecretsOfASubmissionAcceptedOnAnotherNode() {
        // given: two nodes that received the same submission before its run exists
        CompletableFuture<Done> gate = new CompletableFuture<>();
        runs.holdNextSubmission(gate);
        CompletionStage<SubmitAnswer> first = new Admission(
                        runs, runs, runs, vault, namedSecrets.secrets(), blobs, RATES, Long.MAX_VALUE)
                .submit(CALLER, Samples.valid(WITH_SECRET), key("k"));
        runs.refuseWith(new SubmitAnswer.Full(7));
        assertThat(submit(WITH_SECRET, "k")).isEqualTo(new SubmitAnswer.Full(7));
        runs.refuseNoMore();

        gate.complete(Done.getInstance());

        RunId run = accepted(first.toCompletableFuture().join()).submission().id();
        assertThat(vault.holdsKeyOf(run)).isTrue();
    }

    @Test
    void aRetryOfAnAcceptedRunIsAnsweredEvenByADrainingNode() {
        RunState.Existing first = accepted(submit(WITH_SECRET, "k"));
        runs.refuseWith(new SubmitAnswer.Draining());

        assertThat(submit(WITH_SECRET, "k")).isEqualTo(new SubmitAnswer.AcceptedBefore(first));
    }

    @Test
    void aRetryOfAnAcceptedRunIsRefusedByNoQuota() {
        Map<Quota, Long> quotas = new EnumMap<>(Quota.class);
        Rates rates = new Rates(tenant -> new Quotas(quotas), System::nanoTime);
        Admission held = new Admission(runs, runs, runs, vault, namedSecrets.secrets(), blobs, rates, Long.MAX_VALUE);
        RunState.Existing first = accepted(submit(held, "k"));

        quotas.put(Quota.SUBMISSIONS, 0L);
        runs.exceed(EXCESS);

        assertThat(submit(held, "k")).isEqualTo(new SubmitAnswer.AcceptedBefore(first));
        assertThat(submit(held, "other")).isInstanceOfSatisfying(SubmitAnswer.OverQuota.class, over -> assertThat(
                        over.excess().quota())
                .isEqualTo(Quota.SUBMISSIONS));
        quotas.clear();
        assertThat(submit(held, "other")).isEqualTo(new SubmitAnswer.OverQuota(EXCESS));
    }

    @Test
    void aSubmissionOverAQuotaLeavesNothingBehindAndIsAcceptedLaterUnderItsKey() {
        runs.exceed(EXCESS);
        assertThat(submit(WITH_SECRET, "k")).isEqualTo(new SubmitAnswer.OverQuota(EXCESS));
        assertThat(submit(WITH_SECRET, "")).isEqualTo(new SubmitAnswer.OverQuota(EXCESS));
        assertThat(vault.seals()).isZero();
        assertThat(runs.submissions()).isZero();

        runs.exceedNoMore();

        accepted(submit(WITH_SECRET, "k"));
    }

    @Test
    void aRunThatItsOwnNodeRefusesForAQuotaKeepsNoSecrets() {
        runs.refuseWith(new SubmitAnswer.OverQuota(EXCESS));

        assertThat(submit(WITH_SECRET, "")).isEqualTo(new SubmitAnswer.OverQuota(EXCESS));

        assertThat(vault.keys()).isZero();
        assertThat(runs.submissions()).isEqualTo(1);
    }

    private static final QuotaExcess EXCESS = new QuotaExcess(new Tenant("t1"), Quota.RUNS, 1, 1, 1);

    private SubmitAnswer submit(Admission held, String key) {
        return held.submit(CALLER, Samples.valid(WITH_SECRET), key(key))
                .toCompletableFuture()
                .join();
    }

    @Test
    void anUnknownOutcomeKeepsTheKeySinceTheRunMayExist() {
        runs.goAway();

        assertThatThrownBy(() -> submit(WITH_SECRET, ""))
                .hasRootCauseMessage("secret detail")
                .cause()
                .isInstanceOf(StoreUnavailable.class);
        assertThat(vault.keys()).isEqualTo(1);
    }

    @Test
    void aRunOfUnknownDurabilityIsReportedAndKeepsItsKey() {
        runs.refuseWith(new SubmitAnswer.NotDurable());

        assertThat(submit(WITH_SECRET, "")).isEqualTo(new SubmitAnswer.NotDurable());
        assertThat(vault.keys()).isEqualTo(1);
    }

    @Test
    void afterAFailureTheSameKeyMayBeTriedAgain() {
        runs.goAway();
        assertThatThrownBy(() -> submit(WITH_SECRET, "k")).cause().isInstanceOf(StoreUnavailable.class);
        runs.comeBack();

        assertThat(submit(WITH_SECRET, "k")).isInstanceOf(SubmitAnswer.Accepted.class);
    }

    @Test
    void anIdempotencyKeyIsVisibleAscii() {
        assertThat(IdempotencyKey.of("2f1c-~!")).isPresent();
        assertThat(IdempotencyKey.of("k".repeat(255))).isPresent();
        assertThat(IdempotencyKey.of("k".repeat(256))).isEmpty();
        assertThat(IdempotencyKey.of("")).isEmpty();
        assertThat(IdempotencyKey.of("a b")).isEmpty();
        assertThat(IdempotencyKey.of("é")).isEmpty();
    }

    private void cancel(RunId run) {
        runs.happen(
                run, new RunEvent.CancelRequested(InMemoryRuns.NOON, "node-1", CALLER.principal(), Optional.empty()));
        runs.happen(run, new RunEvent.RunCancelled(InMemoryRuns.NOON, "node-1", 0, Usage.NONE));
    }

    private SubmitAnswer submit(String body, String key) {
        return admission
                .submit(CALLER, Samples.valid(body), key(key))
                .toCompletableFuture()
                .join();
    }

    private static Optional<IdempotencyKey> key(String key) {
        return Optional.of(key).filter(text -> !text.isEmpty()).map(IdempotencyKey::new);
    }

    private static RunState.Existing accepted(SubmitAnswer answer) {
        return ((SubmitAnswer.Accepted) answer).run();
    }

    private static final String WITH_FILE =
            "{\"image\": \"vivarium/python\", \"command\": [\"true\"], \"files\": {\"a\": \"content\"}}";

    private static Digest digest(CompletionStage<Digest> written) {
        return written.toCompletableFuture().join();
    }

    @Test
    void filesAreStoredAndHeldBeforeTheirRunIsDurable() {
        RunState.Existing run = accepted(submit(WITH_FILE, ""));

        FileRef file = run.submission().spec().files().get("a");
        assertThat(file).isEqualTo(FileRef.of(Blob.ofUtf8("content")));
        assertThat(blobs.heldBy(run.submission().id())).containsExactly(file.digest());
    }

    @Test
    void aSubmissionThatIsRefusedHoldsNoFiles() {
        runs.refuseWith(new SubmitAnswer.Full(3));

        SubmitAnswer answer = submit(WITH_FILE, "");

        assertThat(answer).isEqualTo(new SubmitAnswer.Full(3));
        assertThat(blobs.holds()).isZero();
    }

    @Test
    void uploadedContentsAreReferencedByDigestAndModeAndOnlyByTheirTenant() {
        Digest digest = digest(blobs.write(new Tenant("research"), Blob.ofUtf8("uploaded")));
        String named = "{\"image\": \"vivarium/python\", \"command\": [\"true\"], \"files\": {\"a\": {\"digest\": \""
                + digest + "\", \"mode\": \"0755\"}}, \"labels\": {\"tenant\": \"TENANT\"}}";

        RunState.Existing run = accepted(submit(named.replace("TENANT", "research"), ""));
        SubmitAnswer stranger = submit(named.replace("TENANT", "other"), "");

        assertThat(run.submission().spec().files())
                .isEqualTo(Map.of("a", new FileRef(FileMode.EXECUTABLE, 8, digest, FileForm.FILE)));
        assertThat(((SubmitAnswer.InvalidFiles) stranger).errors())
                .singleElement()
                .satisfies(error -> {
                    assertThat(error.field()).isEqualTo("files.a.digest");
                    assertThat(error.message())
                            .contains("upload it first, with PUT /v1/blobs/" + digest + "?tenant=other");
                });
    }

    @Test
    void uploadedContentsCountAgainstTheDisk() {
        Digest digest = digest(blobs.write(Tenant.DEFAULT, Blob.of(new byte[5_000])));
        String named = "{\"image\": \"vivarium/python\", \"command\": [\"true\"], \"limits\": {\"disk\": \"4Ki\"},"
                + " \"files\": {\"a\": {\"digest\": \"" + digest + "\"}}}";

        SubmitAnswer answer = submit(named, "");

        assertThat(((SubmitAnswer.InvalidFiles) answer).errors())
                .containsExactly(new FieldError("files", "are 5000 bytes together; limits.disk allows 4Ki"));
    }

    @Test
    void aRetryIsTheSameRunEvenIfItsContentsAreDeleted() {
        Digest digest = digest(blobs.write(Tenant.DEFAULT, Blob.ofUtf8("uploaded")));
        String named = "{\"image\": \"vivarium/python\", \"command\": [\"true\"], \"files\": {\"a\": {\"digest\": \""
                + digest + "\"}}}";
        RunState.Existing run = accepted(submit(named, "files"));
        blobs.forget(digest);

        SubmitAnswer again = submit(named, "files");

        assertThat(((SubmitAnswer.AcceptedBefore) again).run().submission().id())
                .isEqualTo(run.submission().id());
    }

    @Test
    void duringAnOutageOfTheStoreNoRunIsAcceptedOrLost() {
        blobs.goAway();
        assertThat(admission
                        .submit(CALLER, Samples.valid(WITH_FILE), key("away"))
                        .toCompletableFuture())
                .failsWithin(Duration.ofSeconds(5));
        assertThat(runs.submissions()).isZero();

        blobs.comeBack();
        assertThat(submit(WITH_FILE, "away")).isInstanceOf(SubmitAnswer.Accepted.class);
    }
}
