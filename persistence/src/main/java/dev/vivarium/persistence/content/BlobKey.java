package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.Digest;

/** A blob's key. The same content of two tenants is two blobs. */
public record BlobKey(String tenant, Digest digest) {}
