package dev.vivarium.node.sandbox;

import dev.vivarium.node.sandbox.ArtifactSearch.Look;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.BlobStore.Written;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame.FileRead;
import dev.vivarium.protocol.guest.GuestFrame.FolderListed;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.LeftOut.Cause;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.PathGlob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Copies the requested files from a sandbox into the store, one after the other and in pieces. A file of more than one piece
 * is read twice, since the store needs a content's digest in advance: one that changes in between is left out. What an
 * unavailable store does not take is offered again, for a limited time. All steps run in sequence, each on the thread of the
 * previous answer.
 */
final class ArtifactKeeper {
    private static final String WORKSPACE = AgentStart.WORKSPACE;
    private static final int PIECE_BYTES = GuestCodec.READ_LIMIT_BYTES;

    /** The number of pieces requested ahead. */
    private static final int PIECES_AHEAD = 4;

    private final BlobStore blobs;
    private final RunId run;
    private final Tenant tenant;
    private final GuestFiles files;
    private final StoreRetry retry;
    private final Materializer streams;
    private final ArtifactNotes notes;
    private final ArtifactSearch search;

    /** A file had changed at the second read. */
    private static final class Changed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Changed() {
            super("A file changed while it was read.", null, false, false);
        }
    }

    ArtifactKeeper(BlobStore blobs, RunId run, RunSpec spec, GuestFiles files, StoreRetry retry, Materializer streams) {
        this.blobs = blobs;
        this.run = run;
        this.tenant = spec.tenant();
        this.files = files;
        this.retry = retry;
        this.streams = streams;
        this.notes = new ArtifactNotes(spec.limits().get(Limit.ARTIFACTS));
        this.search = new ArtifactSearch(
                spec.artifacts().stream().map(PathGlob::parse).toList(), notes);
    }

    /** Completes when all files that can be kept are, or when the guest accepts no further requests; never fails. */
    CompletionStage<KeptArtifacts> keepAll() {
        return Source.unfoldAsync(Done.getInstance(), done -> step())
                .runWith(Sink.ignore(), streams)
                .handle((done, defect) -> Optional.ofNullable(defect))
                .thenCompose(defect -> {
                    defect.ifPresent(why -> search.giveUp(cause(why)));
                    return hold();
                })
                .thenApply(done -> notes.all());
    }

    private CompletionStage<Optional<Pair<Done, Done>>> step() {
        files.closed().ifPresent(why -> search.giveUp(retry.isAway() ? Cause.NOT_STORED : why));
        Optional<Look> look = search.next();
        return look.isEmpty()
                ? CompletableFuture.completedStage(Optional.empty())
                : take(look.get())
                        .exceptionally(failure -> {
                            notes.leaveOut(look.get().path(), cause(failure));
                            return Done.getInstance();
                        })
                        .thenApply(done -> Optional.of(Pair.create(done, done)));
    }

    private CompletionStage<Done> take(Look look) {
        if (look instanceof Look.IntoFolder folder) {
            return files.list(absolute(folder.path()), folder.place()).thenApply(listed -> onListed(folder, listed));
        }
        return notes.isNew(look.path()) ? takeFile(look.path()) : CompletableFuture.completedStage(Done.getInstance());
    }

    private Done onListed(Look.IntoFolder folder, FolderListed listed) {
        if (listed.errno() == 0) {
            search.listed(folder.path(), listed);
        } else {
            notes.leaveOut(folder.path().isEmpty() ? "." : folder.path(), cause(listed.errno()));
        }
        return Done.getInstance();
    }

    private CompletionStage<Done> takeFile(String path) {
        Optional<Cause> full = notes.objection(path, 0);
        if (full.isPresent()) {
            notes.leaveOut(path, full.get());
            return CompletableFuture.completedStage(Done.getInstance());
        }
        return files.read(absolute(path), 0).thenCompose(first -> onFirst(path, first));
    }

    private CompletionStage<Done> onFirst(String path, FileRead first) {
        if (first.errno() == Errno.EISDIR) {
            search.isFolder(path);
            return CompletableFuture.completedStage(Done.getInstance());
        }
        Optional<Cause> objection =
                first.errno() == 0 ? notes.objection(path, first.size()) : Optional.of(cause(first.errno()));
        if (objection.isPresent()) {
            notes.leaveOut(path, objection.get());
            return CompletableFuture.completedStage(Done.getInstance());
        }
        return store(path, first).thenApply(digest -> {
            notes.keep(new Artifact(path, new FileMode(first.mode() & 0777), first.size(), digest));
            return Done.getInstance();
        });
    }

    private CompletionStage<Digest> store(String path, FileRead first) {
        return first.data().length() == first.size()
                ? retry.call(() -> blobs.write(tenant, first.data()), this::isReadable)
                : storeInPieces(path, first.size());
    }

    /** Whether the sandbox is still there: what it holds can be read again, and no later file waits in vain. */
    private boolean isReadable() {
        return files.closed().isEmpty();
    }

    private CompletionStage<Digest> storeInPieces(String path, long size) {
        return pieces(path, size)
                .runWith(Sink.fold(Digest.newSha256(), ArtifactKeeper::updated), streams)
                .thenApply(sha256 -> Digest.ofDigestBytes(sha256.digest()))
                .thenCompose(digest -> retry.call(
                                () -> blobs.write(tenant, digest, size, pieces(path, size), streams), this::isReadable)
                        .thenApply(written -> stored(written, digest)));
    }

    private static MessageDigest updated(MessageDigest sha256, ByteString piece) {
        sha256.update(piece.toArrayUnsafe());
        return sha256;
    }

    private Digest stored(Written written, Digest digest) {
        if (written instanceof Written.Stored || written instanceof Written.PresentBefore) {
            return digest;
        }
        throw files.closed().<RuntimeException>map(GuestFiles.Closed::new).orElseGet(Changed::new);
    }

    private Source<ByteString, NotUsed> pieces(String path, long size) {
        int count = Math.toIntExact((size + PIECE_BYTES - 1) / PIECE_BYTES);
        return Source.range(0, count - 1).mapAsync(PIECES_AHEAD, number -> {
            long offset = (long) number * PIECE_BYTES;
            return files.read(absolute(path), offset).thenApply(read -> piece(read, offset, size));
        });
    }

    private static ByteString piece(FileRead read, long offset, long size) {
        if (read.errno() != 0 || read.size() != size || read.data().length() != Math.min(PIECE_BYTES, size - offset)) {
            throw new Changed();
        }
        return ByteString.fromArrayUnsafe(read.data().toByteArray());
    }

    /** Called before the history names them, so that it names nothing that a sweep may delete. */
    private CompletionStage<Done> hold() {
        Set<Digest> digests =
                notes.all().files().stream().map(Artifact::digest).collect(Collectors.toUnmodifiableSet());
        return retry.call(() -> blobs.keep(tenant, digests, run), () -> !digests.isEmpty())
                .handle((hold, failure) -> {
                    if (failure != null || hold instanceof BlobStore.Hold.Missing) {
                        notes.dropAll(Cause.NOT_STORED);
                    }
                    return Done.getInstance();
                });
    }

    private static String absolute(String path) {
        return path.isEmpty() ? WORKSPACE : WORKSPACE + "/" + path;
    }

    private static Cause cause(int errno) {
        return switch (errno) {
            case Errno.ENOENT, Errno.ENOTDIR -> Cause.MISSING;
            case Errno.ELOOP -> Cause.LINK;
            case Errno.ENXIO -> Cause.NO_FILE;
            default -> Cause.UNREADABLE;
        };
    }

    private static Cause cause(Throwable failure) {
        Throwable why = StageFailure.cause(failure);
        if (why instanceof GuestFiles.Closed closed) {
            return closed.why();
        }
        return why instanceof StoreUnavailable ? Cause.NOT_STORED : Cause.CHANGED;
    }
}
