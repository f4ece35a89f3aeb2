package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.Blob;

/**
 * One event of a run as the journal stores it: the exact bytes that were hashed, so that the chain stays verifiable
 * however the code changes.
 *
 * @param type the event's stable name
 * @param version the version of the payload's shape, from 1
 * @param payload the event as JSON
 * @param previousHash the previous entry's hash; for the first entry, the hash of the run's id
 * @param hash SHA-256 over previous hash, type, version and payload
 */
public record JournalEntry(String type, int version, Blob payload, Blob previousHash, Blob hash) {}
