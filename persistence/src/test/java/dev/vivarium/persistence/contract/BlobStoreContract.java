package dev.vivarium.persistence.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.content.BlobKey;
import dev.vivarium.persistence.content.BlobLeftovers;
import dev.vivarium.persistence.content.BlobSweep;
import dev.vivarium.persistence.content.BlobSweepSettings;
import dev.vivarium.persistence.content.BlobTables;
import dev.vivarium.persistence.store.BlobMissing;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.BlobStore.Hold;
import dev.vivarium.persistence.store.BlobStore.Written;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of every store's blobs. */
public abstract class BlobStoreContract {
    private static final Tenant TENANT = new Tenant("research");
    private static final Tenant STRANGER = new Tenant("stranger");
    private static final long BYTES_MAX = 64 << 20;
    private static final int RACES = 60;
    private static final BlobSweepSettings SETTINGS = new BlobSweepSettings(Duration.ofMinutes(1), Duration.ofHours(1));
    private static final AtomicInteger RUNS = new AtomicInteger(40_000);
    private static final AtomicInteger SEEDS = new AtomicInteger();

    private final RunId run = Fixtures.run(RUNS.incrementAndGet());

    protected abstract Store store();

    protected abstract JournalWriter writer();

    protected abstract BlobTables tables();

    protected abstract BlobLeftovers leftovers();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, BlobStore.PIECE_BYTES_MAX, BlobStore.PIECE_BYTES_MAX + 1, (17 << 20) + 3})
    void contentsAreReadBackInPiecesOfLimitedSize(int bytes) {
        byte[] content = random(bytes);
        Digest digest = Digest.of(content);

        assertThat(write(digest, inParts(content, 1 + bytes / 7))).isEqualTo(new Written.Stored(bytes));

        List<ByteString> pieces = pieces(TENANT, digest);
        assertThat(pieces).allSatisfy(piece -> assertThat(piece.size()).isBetween(1, BlobStore.PIECE_BYTES_MAX));
        assertThat(Digest.of(joined(pieces))).isEqualTo(digest);
        assertThat(join(blobs().sizes(TENANT, Set.of(digest)))).isEqualTo(Map.of(digest, (long) bytes));
    }

    @Test
    void aContentInMemoryIsWrittenLikeAStream() {
        Blob content = Blob.of(random(700_000));

        Digest digest = join(blobs().write(TENANT, content));

        assertThat(digest).isEqualTo(Digest.of(content));
        assertThat(joined(pieces(TENANT, digest))).isEqualTo(content.toByteArray());
        assertThat(join(blobs().write(TENANT, content))).isEqualTo(digest);
    }

    @Test
    void anExistingContentIsNotReadAgain() {
        byte[] content = random(300_000);
        Digest digest = Digest.of(content);
        write(digest, Source.single(ByteString.fromArray(content)));

        Written again = write(digest, Source.failed(new IllegalStateException("was read")));

        assertThat(again).isEqualTo(new Written.PresentBefore(300_000));
    }

    @Test
    void aContentWithAnotherDigestLeavesNothing() {
        byte[] content = random(300_000);
        Digest promised = Digest.of(random(300_000));

        assertThat(write(promised, inParts(content, 1_000)))
                .isEqualTo(new Written.Mismatch(Digest.of(content), 300_000));

        assertNothingOf(promised);
        assertNothingOf(Digest.of(content));
    }

    @Test
    void aTruncatedContentLeavesNothingAndCanBeRepeated() {
        byte[] content = random(1_000_000);
        Digest digest = Digest.of(content);
        byte[] half = java.util.Arrays.copyOf(content, 600_000);

        Written cut = write(digest, inParts(content, 50_000).zipWithIndex().map(part -> {
            if (part.second() == 12) {
                throw new IllegalStateException("gone");
            }
            return part.first();
        }));

        assertThat(cut).isEqualTo(new Written.CutOff(600_000, "gone"));
        assertNothingOf(digest);
        assertThat(write(digest, inParts(half, 50_000))).isInstanceOf(Written.Mismatch.class);
        assertThat(write(digest, inParts(content, 50_000))).isEqualTo(new Written.Stored(1_000_000));
    }

    @Test
    void aTooLongContentIsRefusedBeforeItsEnd() {
        AtomicInteger read = new AtomicInteger();
        Source<ByteString, NotUsed> endless = Source.repeat(ByteString.fromArray(new byte[100_000]))
                .map(part -> {
                    read.incrementAndGet();
                    return part;
                });

        CompletionStage<Written> written =
                blobs().write(TENANT, Digest.of(random(1)), 1_000_000, endless, writer().materializer());

        assertThat(join(written)).isEqualTo(new Written.TooLarge(1_000_000));
        assertThat(read.get()).isLessThan(100);
    }

    @Test
    void aMissingBlobIsNamed() {
        Digest missing = Digest.of(random(100));

        assertNothingOf(missing);
        assertThatThrownBy(() -> pieces(TENANT, missing)).hasMessageContaining(missing.hex());
    }

    @Test
    void blobsOfOtherTenantsAreInvisible() {
        byte[] content = random(1_000);
        Digest digest = Digest.of(content);
        write(digest, Source.single(ByteString.fromArray(content)));

        assertThat(join(blobs().sizes(STRANGER, Set.of(digest)))).isEmpty();
        assertThat(join(blobs().hold(STRANGER, Set.of(digest), run))).isEqualTo(new Hold.Missing(Set.of(digest)));
        assertThatThrownBy(() -> pieces(STRANGER, digest)).hasRootCauseInstanceOf(BlobMissing.class);
    }

    @Test
    void concurrentUploadsOfTheSameBlobAllSucceed() {
        for (int round = 0; round < 5; round++) {
            byte[] content = random(600_000);
            Digest digest = Digest.of(content);
            List<CompletableFuture<Written>> uploads = new ArrayList<>();
            for (int upload = 0; upload < 4; upload++) {
                uploads.add(blobs().write(TENANT, digest, BYTES_MAX, inParts(content, 60_000), writer().materializer())
                        .toCompletableFuture());
            }

            assertThat(uploads).allSatisfy(upload -> assertThat(upload.join())
                    .isInstanceOfAny(Written.Stored.class, Written.PresentBefore.class));
            assertThat(joined(pieces(TENANT, digest))).isEqualTo(content);
        }
    }

    @Test
    void aHoldNamesWhatIsMissing() {
        Digest there = join(blobs().write(TENANT, Blob.of(random(10))));
        Digest missing = Digest.of(random(10));

        assertThat(join(blobs().hold(TENANT, Set.of(there, missing), run)))
                .isEqualTo(new Hold.Missing(Set.of(missing)));
        assertThat(join(blobs().hold(TENANT, Set.of(there), run))).isEqualTo(new Hold.Held());
        assertThat(join(blobs().hold(TENANT, Set.of(there), run))).isEqualTo(new Hold.Held());
        assertThat(join(blobs().hold(TENANT, Set.of(), run))).isEqualTo(new Hold.Held());
    }

    @Test
    void theSweepRemovesOnlyBlobsWithoutHolds() {
        Digest held = join(blobs().write(TENANT, Blob.of(random(600_000))));
        Digest free = join(blobs().write(TENANT, Blob.of(random(600_000))));
        UUID content = content(free);
        join(blobs().hold(TENANT, Set.of(held), live()));

        sweepAfter(Duration.ofMinutes(50));
        assertThat(join(blobs().sizes(TENANT, Set.of(held, free)))).containsOnlyKeys(held, free);
        sweepAfter(Duration.ofHours(2));

        assertThat(join(blobs().sizes(TENANT, Set.of(held, free)))).containsOnlyKeys(held);
        assertThat(pieces(TENANT, held)).hasSize(3);
        assertNoPieces(content, 3);
    }

    @Test
    void releasedBlobsAreRemovedAndReleasingTwiceChangesNothing() {
        Digest digest = join(blobs().write(TENANT, Blob.of(random(10))));
        Digest shared = join(blobs().write(TENANT, Blob.of(random(10))));
        RunId owner = live();
        join(blobs().hold(TENANT, Set.of(digest, shared), owner));
        join(blobs().hold(TENANT, Set.of(shared), live()));

        join(blobs().release(owner));
        join(blobs().release(owner));
        sweepAfter(Duration.ofHours(2));

        assertThat(join(blobs().sizes(TENANT, Set.of(digest, shared)))).containsOnlyKeys(shared);
        assertThat(join(blobs().write(TENANT, Blob.of(random(10))))).isNotNull();
    }

    @Test
    void artifactsOutlastTheEndAndTheReleaseOfTheirRun() {
        Digest artifact = join(blobs().write(TENANT, Blob.of(random(10))));
        Digest input = join(blobs().write(TENANT, Blob.of(random(10))));
        RunId finished = Fixtures.run(RUNS.incrementAndGet());
        writer().write(finished, Fixtures.success(finished, Fixtures.NOON, Map.of()));
        join(blobs().hold(TENANT, Set.of(artifact, input), finished));

        assertThat(join(blobs().keep(TENANT, Set.of(artifact), finished))).isEqualTo(new Hold.Held());
        assertThat(join(blobs().keep(TENANT, Set.of(artifact), finished))).isEqualTo(new Hold.Held());
        join(blobs().release(finished));
        sweepAfter(SETTINGS.grace().plusMinutes(1));

        assertThat(join(blobs().sizes(TENANT, Set.of(artifact, input)))).containsOnlyKeys(artifact);
        assertThat(join(blobs().keep(STRANGER, Set.of(artifact), finished)))
                .isEqualTo(new Hold.Missing(Set.of(artifact)));
    }

    @Test
    void holdsOfEndedOrNeverStartedRunsExpire() {
        Digest ended = join(blobs().write(TENANT, Blob.of(random(10))));
        Digest unborn = join(blobs().write(TENANT, Blob.of(random(10))));
        RunId finished = Fixtures.run(RUNS.incrementAndGet());
        writer().write(finished, Fixtures.success(finished, Fixtures.NOON, Map.of()));
        join(blobs().hold(TENANT, Set.of(ended), finished));
        join(blobs().hold(TENANT, Set.of(unborn), Fixtures.run(RUNS.incrementAndGet())));

        sweepAfter(Duration.ofMinutes(50));
        assertThat(join(blobs().sizes(TENANT, Set.of(ended, unborn)))).hasSize(2);
        sweepAfter(Duration.ofHours(2));

        assertThat(join(blobs().sizes(TENANT, Set.of(ended, unborn)))).isEmpty();
    }

    @Test
    void ofAConcurrentHoldAndSweepOneWinsAndTheOtherNotices() {
        for (int race = 0; race < RACES; race++) {
            Digest digest = join(blobs().write(TENANT, Blob.of(random(100))));
            Instant then = Instant.now().plus(Duration.ofHours(2));
            CompletableFuture<Void> sweep = CompletableFuture.runAsync(
                    () -> leftovers().removeIfIdle(new BlobKey(TENANT.name(), digest), then));
            for (int later = 0; later < race % 20; later++) {
                join(blobs().sizes(TENANT, Set.of(digest)));
            }
            CompletableFuture<Hold> hold = blobs().hold(TENANT, Set.of(digest), Fixtures.run(50_000 + race))
                    .toCompletableFuture();
            sweep.join();

            if (hold.join() instanceof Hold.Held) {
                assertThat(pieces(TENANT, digest)).hasSize(1);
                leftovers().removeIfIdle(new BlobKey(TENANT.name(), digest), then);
                assertThat(pieces(TENANT, digest)).hasSize(1);
            } else {
                assertNothingOf(digest);
            }
        }
    }

    @Test
    void leftoversOfUploadsInterruptedByACrashAreRemoved() {
        Digest digest = Digest.of(random(10));
        BlobTables.Upload crashed = new BlobTables.Upload(new BlobKey(TENANT.name(), digest), UUID.randomUUID());
        join(tables().begin(crashed, Instant.now()));
        for (int number = 0; number < 70; number++) {
            join(tables().append(crashed, number, ByteString.fromString("x"), Instant.now()));
        }

        sweepAfter(Duration.ofMinutes(50));
        assertThat(join(tables().piece(crashed.content(), 69))).isPresent();
        sweepAfter(Duration.ofHours(2));

        assertNoPieces(crashed.content(), 70);
        assertThatThrownBy(() -> join(tables().publish(crashed, 70, Instant.now())))
                .hasMessageContaining("discarded");
        assertNothingOf(digest);
    }

    /** A run that has started and not ended. */
    private RunId live() {
        RunId live = Fixtures.run(RUNS.incrementAndGet());
        writer().write(live, List.of(Fixtures.submitted(live)));
        return live;
    }

    private void sweepAfter(Duration time) {
        Clock then = Clock.offset(Clock.systemUTC(), time);
        new BlobSweep(tables(), leftovers(), store().journal(), SETTINGS, then).sweep(() -> true);
    }

    private BlobStore blobs() {
        return store().blobs();
    }

    private Written write(Digest digest, Source<ByteString, ?> content) {
        return join(blobs().write(TENANT, digest, BYTES_MAX, content, writer().materializer()));
    }

    private static Source<ByteString, NotUsed> inParts(byte[] content, int partBytes) {
        return Source.range(0, Math.max(0, (content.length - 1) / partBytes))
                .map(part -> ByteString.fromArray(
                        content, part * partBytes, Math.min(partBytes, content.length - part * partBytes)));
    }

    private List<ByteString> pieces(Tenant tenant, Digest digest) {
        return join(blobs().read(tenant, digest).runWith(Sink.seq(), writer().materializer()));
    }

    private UUID content(Digest digest) {
        return Optional.ofNullable(
                        join(tables().find(TENANT.name(), Set.of(digest))).get(digest))
                .map(BlobTables.Kept::content)
                .orElseThrow();
    }

    private void assertNothingOf(Digest digest) {
        assertThat(join(blobs().sizes(TENANT, Set.of(digest)))).isEmpty();
        assertThatThrownBy(() -> pieces(TENANT, digest)).hasRootCauseInstanceOf(BlobMissing.class);
    }

    private void assertNoPieces(UUID content, int count) {
        for (int number = 0; number < count; number++) {
            assertThat(join(tables().piece(content, number))).isEmpty();
        }
    }

    private static byte[] joined(List<ByteString> pieces) {
        return pieces.stream()
                .reduce(ByteString.emptyByteString(), ByteString::concat)
                .toArray();
    }

    private static byte[] random(int bytes) {
        byte[] content = new byte[bytes];
        new Random(SEEDS.incrementAndGet()).nextBytes(content);
        return content;
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
