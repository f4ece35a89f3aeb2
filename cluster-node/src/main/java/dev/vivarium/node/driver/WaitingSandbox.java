package dev.vivarium.node.driver;

import java.util.Map;

/**
 * A fresh sandbox whose guest is up and waits for its attempt.
 *
 * @param channel the channel to its guest
 * @param environment the environment that the image asks for
 */
public record WaitingSandbox(SandboxChannel channel, Map<String, String> environment) {
    public WaitingSandbox {
        environment = Map.copyOf(environment);
    }
}
