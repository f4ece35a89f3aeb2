package dev.vivarium.persistence.store;

import java.time.Instant;

/**
 * A copy of all that a store's tables hold at one moment, in one file. The keys of secrets, tokens and the log are not part
 * of it, since they are not in the tables.
 *
 * @param installation the name of the installation, which goes on where the copy is restored
 * @param schema the version of its tables
 * @param takenAt the moment
 * @param events how many events the journal had
 * @param rows how many rows all tables had
 */
public record Backup(String installation, int schema, Instant takenAt, long events, long rows) {}
