package dev.vivarium.persistence.contract;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** A content that stops after its first half until the test releases the second half. */
public final class HeldUpUpload {
    private static final int PARTS = 16;
    private static final int PART_BYTES = 256 << 10;

    private final byte[] bytes = new byte[PARTS * PART_BYTES];
    private final CompletableFuture<Done> halfway = new CompletableFuture<>();
    private final CompletableFuture<Done> rest = new CompletableFuture<>();

    /** Creates different content for each seed. */
    public HeldUpUpload(long seed) {
        new java.util.Random(seed).nextBytes(bytes);
    }

    /** The digest of the whole. */
    public Digest digest() {
        return Digest.of(Blob.of(bytes));
    }

    /** Completes when half of it was requested. */
    public CompletableFuture<Done> halfway() {
        return halfway;
    }

    /** Releases the second half. */
    public void goOn() {
        rest.complete(Done.getInstance());
    }

    /** The content, which stops in the middle until it is released. */
    public Source<ByteString, NotUsed> content() {
        return Source.range(0, PARTS - 1).mapAsync(1, part -> {
            ByteString next = ByteString.fromArray(bytes, part * PART_BYTES, PART_BYTES);
            if (part < PARTS / 2) {
                return CompletableFuture.completedFuture(next);
            }
            halfway.complete(Done.getInstance());
            return rest.thenApply(go -> next);
        });
    }
}
