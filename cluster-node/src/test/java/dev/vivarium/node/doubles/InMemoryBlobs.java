package dev.vivarium.node.doubles;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobMissing;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.RunFiles;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.StreamLimitReachedException;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Blobs on the heap, for tests of code that uses blobs. They are never swept. The real stores have a contract test. */
public final class InMemoryBlobs implements BlobStore {
    private record Key(Tenant tenant, Digest digest) {}

    private final Map<Key, Blob> contents = new ConcurrentHashMap<>();
    private final Map<RunId, Set<Digest>> held = new ConcurrentHashMap<>();
    private final AtomicInteger refused = new AtomicInteger();
    private volatile Runnable afterWrite = () -> {};
    private volatile Optional<RuntimeException> outage = Optional.empty();

    /** Makes every call fail with this from now on, and every content that is being written. */
    public void failWith(RuntimeException failure) {
        outage = Optional.of(failure);
    }

    public void goAway() {
        failWith(new StoreUnavailable("The store does not answer.", new IllegalStateException("secret detail")));
    }

    /** Becomes unavailable once the next content from memory is written. */
    public void goAwayAfterWriting() {
        afterWrite = this::goAway;
    }

    public void comeBack() {
        outage = Optional.empty();
    }

    private <T> CompletionStage<T> reached(Supplier<CompletionStage<T>> answer) {
        outage.ifPresent(away -> refused.incrementAndGet());
        return outage.<CompletionStage<T>>map(CompletableFuture::failedStage).orElseGet(answer);
    }

    /** The number of calls that failed because of {@link #failWith}. */
    public int refused() {
        return refused.get();
    }

    /** Deletes a content, as the sweep does. */
    public void forget(Digest digest) {
        contents.keySet().removeIf(key -> key.digest().equals(digest));
    }

    /** Deletes a content unless a run holds it; says whether it was there and is gone. */
    public boolean delete(Tenant tenant, Digest digest) {
        outage.ifPresent(away -> {
            throw away;
        });
        return !isHeld(digest) && contents.remove(new Key(tenant, digest)) != null;
    }

    /** Whether a run has the content. */
    public boolean isHeld(Digest digest) {
        return held.values().stream().anyMatch(digests -> digests.contains(digest));
    }

    /** The number of runs that hold contents. */
    public int holds() {
        return held.size();
    }

    /** The number of contents. */
    public int count() {
        return contents.size();
    }

    @Override
    public CompletionStage<Written> write(
            Tenant tenant, Digest digest, long bytesMax, Source<ByteString, ?> content, Materializer streams) {
        Optional<Blob> before = Optional.ofNullable(contents.get(new Key(tenant, digest)));
        return before.isPresent()
                ? CompletableFuture.completedStage(
                        new Written.PresentBefore(before.get().length()))
                : reached(() -> received(tenant, digest, bytesMax, content, streams));
    }

    private CompletionStage<Written> received(
            Tenant tenant, Digest digest, long bytesMax, Source<ByteString, ?> content, Materializer streams) {
        return content.map(part -> {
                    if (outage.isPresent()) {
                        throw outage.get();
                    }
                    return part;
                })
                .limitWeighted(bytesMax, part -> (long) part.size())
                .runWith(Sink.fold(ByteString.emptyByteString(), ByteString::concat), streams)
                .handle((bytes, failure) -> {
                    if (outage.isPresent()) {
                        throw outage.get();
                    }
                    if (failure instanceof StreamLimitReachedException) {
                        return new Written.TooLarge(bytesMax);
                    }
                    return failure == null
                            ? written(tenant, digest, Blob.of(bytes.toArray()))
                            : new Written.CutOff(0, String.valueOf(failure.getMessage()));
                });
    }

    private Written written(Tenant tenant, Digest digest, Blob content) {
        if (!Digest.of(content).equals(digest)) {
            return new Written.Mismatch(Digest.of(content), content.length());
        }
        contents.put(new Key(tenant, digest), content);
        return new Written.Stored(content.length());
    }

    @Override
    public CompletionStage<Digest> write(Tenant tenant, Blob content) {
        return reached(() -> {
            Digest digest = Digest.of(content);
            contents.put(new Key(tenant, digest), content);
            afterWrite.run();
            return CompletableFuture.completedStage(digest);
        });
    }

    @Override
    public Source<ByteString, NotUsed> read(Tenant tenant, Digest digest) {
        Blob content = contents.get(new Key(tenant, digest));
        return content == null
                ? Source.failed(new BlobMissing(digest))
                : Source.single(ByteString.fromArray(content.toByteArray()));
    }

    @Override
    public CompletionStage<Map<Digest, Long>> sizes(Tenant tenant, Set<Digest> digests) {
        Map<Digest, Long> sizes = new HashMap<>();
        digests.forEach(digest -> Optional.ofNullable(contents.get(new Key(tenant, digest)))
                .ifPresent(content -> sizes.put(digest, (long) content.length())));
        return reached(() -> CompletableFuture.completedStage(sizes));
    }

    @Override
    public CompletionStage<Hold> hold(Tenant tenant, Set<Digest> digests, RunId run) {
        return reached(() -> CompletableFuture.completedStage(held(tenant, digests, run)));
    }

    private Hold held(Tenant tenant, Set<Digest> digests, RunId run) {
        Set<Digest> missing = new HashSet<>(digests);
        missing.removeIf(digest -> contents.containsKey(new Key(tenant, digest)));
        if (!missing.isEmpty()) {
            return new Hold.Missing(missing);
        }
        held.put(run, Set.copyOf(digests));
        return new Hold.Held();
    }

    @Override
    public CompletionStage<Hold> keep(Tenant tenant, Set<Digest> digests, RunId run) {
        return hold(tenant, digests, run);
    }

    @Override
    public void observe(Observer observer) {
        // Nothing that is tested before these counts.
    }

    @Override
    public CompletionStage<Done> release(RunId run) {
        held.remove(run);
        return CompletableFuture.completedStage(Done.getInstance());
    }

    /** The contents that the run holds. */
    public Set<Digest> heldBy(RunId run) {
        return held.getOrDefault(run, Set.of());
    }

    /** The files of runs, read from these contents. */
    public RunFiles files() {
        return (tenant, run, path, file) -> read(tenant, file.digest());
    }
}
