package dev.vivarium.node.admission;

import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Limit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;

/** Stores the contents of a submission's files that are not stored yet. */
final class FileContents {
    private final BlobStore blobs;

    FileContents(BlobStore blobs) {
        this.blobs = blobs;
    }

    /** The outcome for a submission's files. */
    sealed interface Kept {
        /** All contents are stored, and safe from the sweep for hours. */
        record References(Map<String, FileRef> files) implements Kept {
            Set<Digest> digests() {
                return files.values().stream().map(FileRef::digest).collect(Collectors.toUnmodifiableSet());
            }
        }

        /** Referenced contents are missing, or the files are too large together. */
        record Refused(List<FieldError> errors) implements Kept {}
    }

    CompletionStage<Kept> keep(Submission submission) {
        if (submission.files().isEmpty()) {
            return CompletableFuture.completedStage(new Kept.References(Map.of()));
        }
        return sizes(submission).thenCompose(sizes -> {
            Kept kept = references(submission, sizes);
            return kept instanceof Kept.References
                    ? write(submission).thenApply(done -> kept)
                    : CompletableFuture.completedStage(kept);
        });
    }

    private CompletionStage<Map<Digest, Long>> sizes(Submission submission) {
        Set<Digest> uploaded = submission.files().values().stream()
                .filter(RequestedFile.Uploaded.class::isInstance)
                .map(file -> ((RequestedFile.Uploaded) file).digest())
                .collect(Collectors.toUnmodifiableSet());
        return uploaded.isEmpty()
                ? CompletableFuture.completedStage(Map.of())
                : blobs.sizes(submission.tenant(), uploaded);
    }

    private static Kept references(Submission submission, Map<Digest, Long> sizes) {
        Map<String, FileRef> references = new HashMap<>();
        List<FieldError> errors = new ArrayList<>();
        submission.files().forEach((path, file) -> {
            if (file instanceof RequestedFile.Inline inline) {
                references.put(path, inline.reference());
            } else if (file instanceof RequestedFile.Uploaded uploaded) {
                Long size = sizes.get(uploaded.digest());
                if (size == null) {
                    errors.add(missing(submission.tenant().name(), uploaded));
                } else {
                    references.put(path, new FileRef(uploaded.mode(), size, uploaded.digest(), uploaded.form()));
                }
            }
        });
        // What an archive holds is counted when it is unpacked.
        long bytes = references.values().stream()
                .filter(file -> file.form() == FileForm.FILE)
                .mapToLong(FileRef::size)
                .sum();
        ByteSize disk = submission.limits().get(Limit.DISK);
        if (bytes > disk.bytes()) {
            errors.add(new FieldError("files", "are " + bytes + " bytes together; limits.disk allows " + disk));
        }
        return errors.isEmpty() ? new Kept.References(references) : new Kept.Refused(errors);
    }

    /** The error for contents that were stored a moment ago. */
    static List<FieldError> gone(Set<Digest> digests) {
        return digests.stream()
                .map(digest -> new FieldError(
                        "files", "name the content " + digest + ", which was just deleted: upload it again"))
                .toList();
    }

    private static FieldError missing(String tenant, RequestedFile.Uploaded file) {
        return new FieldError(
                file.field(),
                "names a content that tenant " + tenant + " does not have: upload it first, with PUT /v1/blobs/"
                        + file.digest() + "?tenant=" + tenant);
    }

    /** In sequence, so that a thousand small files do not burst on the store. */
    private CompletionStage<Done> write(Submission submission) {
        Map<Digest, Blob> contents = new HashMap<>();
        submission.files().values().forEach(file -> {
            if (file instanceof RequestedFile.Inline inline) {
                contents.put(inline.reference().digest(), inline.content());
            }
        });
        return write(submission.tenant(), contents.values().iterator());
    }

    private CompletionStage<Done> write(Tenant tenant, Iterator<Blob> contents) {
        return contents.hasNext()
                ? blobs.write(tenant, contents.next()).thenCompose(written -> write(tenant, contents))
                : CompletableFuture.completedStage(Done.getInstance());
    }
}
