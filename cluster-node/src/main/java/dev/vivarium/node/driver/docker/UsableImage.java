package dev.vivarium.node.driver.docker;

import java.util.Map;

/**
 * A checked, usable image.
 *
 * @param id the engine's image id, which never changes its meaning
 * @param environment its environment
 */
record UsableImage(String id, Map<String, String> environment) {
    UsableImage {
        environment = Map.copyOf(environment);
    }
}
