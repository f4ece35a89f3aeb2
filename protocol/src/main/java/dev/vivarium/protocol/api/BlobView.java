package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.Digest;

/**
 * A content that was uploaded.
 *
 * @param digest its SHA-256 digest, by which submissions name it
 * @param size its length in bytes
 */
public record BlobView(Digest digest, long size) {}
