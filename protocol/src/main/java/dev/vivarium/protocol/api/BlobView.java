package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.Digest;

/**
 * An uploaded blob.
 *
 * @param digest its SHA-256 digest, by which submissions refer to it
 * @param size its size in bytes
 */
public record BlobView(Digest digest, long size) {}
