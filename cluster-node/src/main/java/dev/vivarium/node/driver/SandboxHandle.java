package dev.vivarium.node.driver;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A fresh sandbox whose guest is up and waits. It has no network until one is attached to it.
 *
 * @param id names it
 * @param channel the channel to its guest
 * @param environment the environment that the image asks for
 * @param initProcess the process whose death is that of all others in the sandbox; empty where it is on another machine,
 *     or where there is none
 */
public record SandboxHandle(
        SandboxId id, SandboxChannel channel, Map<String, String> environment, Optional<ProcessHandle> initProcess) {
    public SandboxHandle {
        environment = Map.copyOf(environment);
    }

    /** The same, with variables that take precedence over the image's. */
    public SandboxHandle with(Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(variables);
        return new SandboxHandle(id, channel, all, initProcess);
    }
}
