package dev.vivarium.persistence.content;

import dev.vivarium.protocol.run.Digest;

/** The name of a blob: the same content of two tenants is two blobs. */
public record BlobKey(String tenant, Digest digest) {}
