package dev.vivarium.persistence.store;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunId;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Reads the files of runs, wherever their contents are stored. Thread-safe. */
public interface RunFiles {
    /**
     * The content of a run's file, as {@link BlobStore#read} gives it. Runs submitted before blobs existed have their
     * contents in the first journal entry.
     *
     * @param tenant the run's tenant
     * @param path the file's path, as the run's spec has it
     * @param file the spec's reference to it
     */
    Source<ByteString, NotUsed> open(Tenant tenant, RunId run, String path, FileRef file);
}
