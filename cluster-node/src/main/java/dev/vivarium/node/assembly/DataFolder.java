package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.persistence.durable.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The folder in which a node keeps what is its own: what it has seen of the log, and an embedded store. */
final class DataFolder {
    private DataFolder() {}

    /**
     * Makes it, for its owner alone, unless it is there: an embedded store has made it before.
     *
     * @throws NodeStartException with a sentence for the operator
     */
    static void make(Path folder) throws NodeStartException {
        Path whole = folder.toAbsolutePath();
        try {
            if (whole.getParent() != null) {
                Files.createDirectories(whole.getParent());
            }
            DurableFiles.createPrivateDirectory(whole);
        } catch (IOException failed) {
            throw new NodeStartException(
                    "The node cannot make its folder " + folder + " (" + failed + "): name another one with --data.",
                    failed);
        }
    }
}
