package dev.vivarium.loadtests.subject;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What makes a node's sandboxes ({@code vivarium.driver.kind}). */
public enum Driver {
    /** An OCI runtime of this machine, called by the node's launcher. */
    OCI,
    /** A container engine. */
    DOCKER;

    private static final String LAUNCHER = "vivarium-launch";

    /** The driver of a running node, by what the kernel knows of it: with the driver oci it has a launcher as its child. */
    public static Driver of(long node) {
        return launcher(node).isPresent() ? OCI : DOCKER;
    }

    /** The launcher of a running node; empty with the driver docker, and from its death until the node starts another. */
    public static Optional<ProcessHandle> launcher(long node) {
        return ProcessHandle.of(node).stream()
                .flatMap(ProcessHandle::children)
                .filter(Driver::isLauncher)
                .findFirst();
    }

    private static boolean isLauncher(ProcessHandle child) {
        return child.info()
                .command()
                .map(Path::of)
                .filter(program -> String.valueOf(program.getFileName()).startsWith(LAUNCHER))
                .isPresent();
    }

    /** The configuration with which a node uses it. */
    public Map<String, String> settings() {
        return Map.of("vivarium.driver.kind", word());
    }

    /** Its name in the configuration. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
