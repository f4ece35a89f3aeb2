package dev.vivarium.node.cli.abuse;

import dev.vivarium.protocol.run.Blob;
import java.util.List;

/**
 * How a payload's image differs from the one that all others run in.
 *
 * @param instructions as in a Dockerfile: {@code USER root}
 * @param files what is put into it
 * @param variables how many environment variables it gets
 * @param variableBytes how long each is
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
     * A file of the image, root's own.
     *
     * @param path where it is, from the root of the image
     * @param mode its permissions, the setuid bit among them
     */
    public record ImageFile(String path, int mode, Blob content) {}
}
