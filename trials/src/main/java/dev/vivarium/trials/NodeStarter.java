package dev.vivarium.trials;

import dev.vivarium.trials.outside.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Starts nodes to try agents on. */
public interface NodeStarter {
    /**
     * Starts a node and returns once it is ready.
     *
     * @param state the folder for its log, {@code node.log}, and its data, {@code data}
     * @param config configuration that overrides the defaults
     * @throws IOException with a sentence for the user when it does not start
     */
    Node start(Path state, Map<String, String> config) throws IOException;
}
