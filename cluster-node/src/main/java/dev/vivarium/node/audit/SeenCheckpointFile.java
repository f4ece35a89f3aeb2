package dev.vivarium.node.audit;

import dev.vivarium.persistence.audit.tlog.SeenCheckpoint;
import dev.vivarium.persistence.durable.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The last checkpoint of the audit's log, in a file of the node.
 *
 * @param file need not exist
 */
public record SeenCheckpointFile(Path file) implements SeenCheckpoint {
    private static final int BYTES_MAX = 1 << 20;

    @Override
    public Optional<String> last() throws IOException {
        return Files.exists(file)
                ? Optional.of(new String(DurableFiles.read(file, BYTES_MAX), StandardCharsets.UTF_8))
                : Optional.empty();
    }

    @Override
    public void keep(String checkpoint) throws IOException {
        DurableFiles.write(file, checkpoint.getBytes(StandardCharsets.UTF_8), DurableFiles.OWNER_ONLY);
    }
}
