package dev.vivarium.trials.agents;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.client.ApiJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The examples and their expected results, from {@code examples/catalogue.json}.
 *
 * @param image the image of all examples
 * @param agents the examples, in the order in which they are shown
 */
public record Catalogue(String image, List<Agent> agents) {
    private static final String FILE = "catalogue.json";

    public Catalogue {
        agents = List.copyOf(agents);
    }

    /**
     * Reads the catalogue of a folder.
     *
     * @throws IOException with a sentence for the user when it is missing or malformed
     */
    public static Catalogue of(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.isReadable(file)) {
            throw new IOException("There is no " + file + "; the examples belong to the repository.");
        }
        try {
            return ApiJson.as(ApiJson.parse(Files.readAllBytes(file)), Catalogue.class);
        } catch (JsonProcessingException malformed) {
            throw new IOException(file + " is not as it must be: " + malformed.getOriginalMessage(), malformed);
        }
    }
}
