package dev.vivarium.persistence.content;

import dev.vivarium.persistence.journal.InlineFiles;
import dev.vivarium.persistence.journal.JournalEntry;
import dev.vivarium.persistence.store.BlobMissing;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.RunFiles;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Files from a blob store, or from the first journal entry for runs older than it. */
public final class StoredRunFiles implements RunFiles {
    private final BlobStore blobs;
    private final Function<RunId, CompletionStage<Optional<JournalEntry>>> firstEntry;

    /** @param firstEntry reads the stored entry of a run's submission */
    public StoredRunFiles(BlobStore blobs, Function<RunId, CompletionStage<Optional<JournalEntry>>> firstEntry) {
        this.blobs = blobs;
        this.firstEntry = firstEntry;
    }

    @Override
    public Source<ByteString, NotUsed> open(Tenant tenant, RunId run, String path, FileRef file) {
        return blobs.read(tenant, file.digest())
                .recoverWithRetries(1, BlobMissing.class, () -> inline(run, path, file));
    }

    private Source<ByteString, NotUsed> inline(RunId run, String path, FileRef file) {
        return Source.lazyCompletionStageSource(() -> firstEntry.apply(run).thenApply(entry -> entry.flatMap(
                                first -> InlineFiles.content(first, path))
                        .map(StoredRunFiles::pieces)
                        .orElseGet(() -> Source.failed(new BlobMissing(file.digest())))))
                .mapMaterializedValue(later -> NotUsed.getInstance());
    }

    private static Source<ByteString, NotUsed> pieces(Blob content) {
        Intake intake = new Intake(Long.MAX_VALUE);
        List<ByteString> pieces = new ArrayList<>(intake.add(ByteString.fromArray(content.toByteArray())));
        pieces.addAll(intake.end());
        return Source.from(pieces);
    }
}
