package dev.vivarium.node.driver.docker;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The system calls that a sandbox may make: a list of our own, {@code seccomp.json}, in the engine's format, because the
 * engine's default differs from version to version and allows more than agents need. What is left out, and why, stands in
 * SECURITY.md. Runtimes that are a kernel themselves, such as gVisor's, ignore it.
 */
final class SystemCallFilter {
    private static final String RESOURCE = "seccomp.json";

    private SystemCallFilter() {}

    /** The filter as a security option of the engine's API. */
    static String securityOption() {
        try (InputStream profile = SystemCallFilter.class.getResourceAsStream(RESOURCE)) {
            if (profile == null) {
                throw new IllegalStateException(RESOURCE + " is missing from this build.");
            }
            return "seccomp=" + new String(profile.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new IllegalStateException(RESOURCE + " cannot be read.", unreadable);
        }
    }
}
