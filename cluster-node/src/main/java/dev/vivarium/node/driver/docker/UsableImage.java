package dev.vivarium.node.driver.docker;

import java.util.Map;

/**
 * An image that was checked and can be used.
 *
 * @param id the engine's id of it, which never comes to mean another image
 * @param environment the environment that it asks for
 */
record UsableImage(String id, Map<String, String> environment) {
    UsableImage {
        environment = Map.copyOf(environment);
    }
}
