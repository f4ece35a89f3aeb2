package dev.vivarium.trials.abuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The payloads of a folder, one for each Python file in it.
 *
 * @param folder the folder
 * @param all by name
 */
public record Payloads(Path folder, List<Payload> all) {
    private static final String ENDING = ".py";

    public Payloads {
        all = List.copyOf(all);
    }

    /**
     * Reads them.
     *
     * @throws IOException with a sentence for the user when there are none, or one is malformed
     */
    public static Payloads of(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException("There is no folder " + folder + "; the payloads belong to the repository.");
        }
        List<Path> files;
        try (Stream<Path> listed = Files.list(folder)) {
            files = listed.filter(file -> file.toString().endsWith(ENDING))
                    .sorted()
                    .toList();
        }
        List<Payload> payloads = new ArrayList<>();
        for (Path file : files) {
            String name = String.valueOf(file.getFileName());
            try {
                payloads.add(Payload.parse(name.substring(0, name.length() - ENDING.length()), Files.readString(file)));
            } catch (IllegalArgumentException malformed) {
                throw new IOException(file + " is not as it must be: " + malformed.getMessage() + ".", malformed);
            }
        }
        return new Payloads(folder, payloads);
    }
}
