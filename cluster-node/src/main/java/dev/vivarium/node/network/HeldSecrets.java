package dev.vivarium.node.network;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The secrets of one sandbox that are added to its requests on their way, for as long as it lives. They are held in arrays
 * of their own, which are overwritten at its end. Safe for use by any thread.
 */
public final class HeldSecrets {
    private final Map<String, byte[]> values = new HashMap<>();
    private boolean over;

    /** Takes secrets by their names, all of them printable ASCII; those of a sandbox that is gone are not taken. */
    public synchronized void hold(Map<String, String> secrets) {
        if (!over) {
            secrets.forEach((name, value) -> values.put(name, value.getBytes(StandardCharsets.US_ASCII)));
        }
    }

    /** A copy, which the caller overwrites after its use; empty when the sandbox has no such secret, or is gone. */
    public synchronized Optional<byte[]> copyOf(String name) {
        return Optional.ofNullable(values.get(name)).map(byte[]::clone);
    }

    /** The sandbox is gone: nothing of its secrets is left here. */
    public synchronized void wipe() {
        over = true;
        values.values().forEach(value -> Arrays.fill(value, (byte) 0));
        values.clear();
    }

    @Override
    public String toString() {
        return "***";
    }
}
