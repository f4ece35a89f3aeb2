package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunId;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Reads the files of runs, wherever their contents are. Safe for use by any thread. */
public interface RunFiles {
    /**
     * The content of a run's file, as {@link BlobStore#read} gives it. The content of a run that was submitted before there
     * were blobs is in its first journal entry.
     *
     * @param tenant whose the run is
     * @param path the file's path, as the run's spec has it
     * @param file what the spec says of it
     */
    Source<ByteString, NotUsed> open(String tenant, RunId run, String path, FileRef file);
}
