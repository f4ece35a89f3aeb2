package dev.vivarium.node.driver;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A fresh sandbox whose guest is up and waiting. It has no network until one is attached to it.
 *
 * @param id its id
 * @param channel the channel to its guest
 * @param environment the image's environment
 * @param initProcess the process whose end ends all others in the sandbox; empty when it is on another machine, or when
 *     there is none
 */
public record SandboxHandle(
        SandboxId id, SandboxChannel channel, Map<String, String> environment, Optional<ProcessHandle> initProcess) {
    /** The name by which a sandbox knows itself; it resolves to its loopback. */
    public static final String HOST_NAME = "sandbox";

    public SandboxHandle {
        environment = Map.copyOf(environment);
    }

    /** This sandbox with variables that override the image's. */
    public SandboxHandle with(Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(variables);
        return new SandboxHandle(id, channel, all, initProcess);
    }
}
