package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.Digest;

/** The tenant has no blob with this digest. */
public final class BlobMissing extends RuntimeException {
    private final Digest digest;

    public BlobMissing(Digest digest) {
        super("There is no blob " + digest + ".");
        this.digest = digest;
    }

    public Digest digest() {
        return digest;
    }
}
