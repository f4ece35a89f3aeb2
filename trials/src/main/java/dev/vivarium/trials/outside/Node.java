package dev.vivarium.trials.outside;

import java.io.IOException;
import java.net.URI;

/** A node that is ready. The caller that started it closes it. */
public interface Node extends AutoCloseable {
    /** A client of its API. */
    URI uri();

    /** The name of its installation, with which each of its sandboxes is labelled. */
    String installation();

    /** Ends it with all its sandboxes, and waits until they are gone. Idempotent. */
    @Override
    void close() throws IOException;
}
