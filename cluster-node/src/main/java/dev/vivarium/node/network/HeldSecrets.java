package dev.vivarium.node.network;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The secrets that are added to one sandbox's requests, kept during its lifetime. They are in arrays of their own,
 * which are overwritten at its end. Thread-safe.
 */
public final class HeldSecrets {
    private final Map<String, byte[]> values = new HashMap<>();
    private boolean over;

    /** Stores secrets by name, all printable ASCII; ignored for a sandbox that is gone. */
    public synchronized void hold(Map<String, String> secrets) {
        if (!over) {
            secrets.forEach((name, value) -> values.put(name, value.getBytes(StandardCharsets.US_ASCII)));
        }
    }

    /** A copy, which the caller overwrites after use; empty when the sandbox has no such secret, or is gone. */
    public synchronized Optional<byte[]> copyOf(String name) {
        return Optional.ofNullable(values.get(name)).map(byte[]::clone);
    }

    /** Overwrites all secrets, since the sandbox is gone. */
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
