package dev.vivarium.trials.agents;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The surroundings in which agents are tried.
 *
 * @param folder the folder with their files
 * @param image their image
 * @param isolation the isolation class that they request; empty for the node's default
 * @param secretValue the value of each secret
 * @param environment further environment variables of each agent
 */
public record Stage(
        Path folder, String image, Optional<String> isolation, String secretValue, Map<String, String> environment) {
    public Stage {
        environment = Map.copyOf(environment);
    }

    /** This stage with another image. */
    public Stage withImage(String other) {
        return new Stage(folder, other, isolation, secretValue, environment);
    }

    /** This stage with these environment variables. */
    public Stage withEnvironment(Map<String, String> other) {
        return new Stage(folder, image, isolation, secretValue, other);
    }
}
