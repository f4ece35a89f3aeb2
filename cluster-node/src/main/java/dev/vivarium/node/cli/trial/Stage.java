package dev.vivarium.node.cli.trial;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where and with what agents are tried.
 *
 * @param folder where their files are
 * @param image the image that they run in
 * @param isolation the isolation class that they ask for; the node's default where empty
 * @param secretValue what each secret is set to
 */
public record Stage(Path folder, String image, Optional<String> isolation, String secretValue) {
    /** The same stage with another image. */
    public Stage withImage(String other) {
        return new Stage(folder, other, isolation, secretValue);
    }
}
