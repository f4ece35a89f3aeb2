package dev.vivarium.persistence.journal;

import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;

/**
 * An event read from the journal, with its position in the run's chain.
 *
 * @param run the run
 * @param seq its number in the run, from 1 without gaps
 * @param event the event, upcast to the current version
 * @param previousHash the previous entry's hash
 * @param hash this entry's hash
 */
public record RecordedEvent(RunId run, long seq, RunEvent event, Blob previousHash, Blob hash) {}
