package dev.vivarium.node.cli.trial;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where and with what agents are tried.
 *
 * @param folder where their files are
 * @param image the image that they run in
 * @param isolation the isolation class that they ask for; the node's default where empty
 * @param secretValue what each secret is set to
 * @param environment what each agent is told beside it
 */
public record Stage(
        Path folder, String image, Optional<String> isolation, String secretValue, Map<String, String> environment) {
    public Stage {
        environment = Map.copyOf(environment);
    }

    /** The same stage with another image. */
    public Stage withImage(String other) {
        return new Stage(folder, other, isolation, secretValue, environment);
    }

    /** The same stage, where agents are told this. */
    public Stage withEnvironment(Map<String, String> other) {
        return new Stage(folder, image, isolation, secretValue, other);
    }
}
