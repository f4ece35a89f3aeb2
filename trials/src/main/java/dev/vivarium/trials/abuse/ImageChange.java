package dev.vivarium.trials.abuse;

import dev.vivarium.protocol.run.Blob;
import java.util.List;

/**
 * The differences of a payload's image from the common one.
 *
 * @param instructions as in a Dockerfile: {@code USER root}
 * @param files the files copied into it
 * @param variables the number of its environment variables
 * @param variableBytes the length of each
 */
public record ImageChange(List<String> instructions, List<ImageFile> files, int variables, int variableBytes) {
    /** No change. */
    public static final ImageChange NONE = new ImageChange(List.of(), List.of(), 0, 0);

    public ImageChange {
        instructions = List.copyOf(instructions);
        files = List.copyOf(files);
    }

    public boolean isNone() {
        return instructions.isEmpty() && files.isEmpty() && variables == 0;
    }

    /**
     * A file of the image, owned by root.
     *
     * @param path its absolute path
     * @param mode its permissions, including the setuid bit
     */
    public record ImageFile(String path, int mode, Blob content) {}
}
