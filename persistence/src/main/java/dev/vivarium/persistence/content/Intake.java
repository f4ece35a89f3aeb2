package dev.vivarium.persistence.content;

import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.protocol.run.Digest;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.util.ByteString;

/** Cuts one content into pieces of equal size while counting and hashing it. For one upload; not thread-safe. */
final class Intake {
    private final long bytesMax;
    private final MessageDigest sha256 = Digest.newSha256();
    private ByteString rest = ByteString.emptyByteString();
    private long bytes;

    Intake(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** The content is longer than allowed. */
    static final class TooLong extends RuntimeException {
        TooLong() {
            super("The content is longer than allowed.", null, false, false);
        }
    }

    /** Returns the pieces that are now complete. */
    List<ByteString> add(ByteString more) {
        bytes += more.size();
        if (bytes > bytesMax) {
            throw new TooLong();
        }
        more.getByteBuffers().forEach(sha256::update);
        rest = rest.concat(more);
        List<ByteString> pieces = new ArrayList<>();
        while (rest.size() >= BlobStore.PIECE_BYTES_MAX) {
            pieces.add(rest.take(BlobStore.PIECE_BYTES_MAX));
            rest = rest.drop(BlobStore.PIECE_BYTES_MAX);
        }
        return pieces;
    }

    /** Returns the last piece, if it is not empty. */
    List<ByteString> end() {
        return rest.isEmpty() ? List.of() : List.of(rest);
    }

    long bytes() {
        return bytes;
    }

    /** The digest of everything added; call once. */
    Digest digest() {
        return Digest.ofDigestBytes(sha256.digest());
    }
}
