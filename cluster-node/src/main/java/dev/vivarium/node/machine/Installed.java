package dev.vivarium.node.machine;

import java.util.Optional;
import java.util.Set;

/**
 * An installed component.
 *
 * @param component the component
 * @param version its version, as reported by itself
 * @param comparable the version to compare with upstream versions; empty for a kernel that its distribution fixes under its
 *     own numbers
 * @param packageVersion the version of its package, if known
 * @param mended the holes that this package's changelog names as fixed
 */
record Installed(
        Component component,
        String version,
        Optional<Version> comparable,
        Optional<String> packageVersion,
        Set<String> mended) {
    Installed {
        mended = Set.copyOf(mended);
    }

    /** A component without a package. */
    static Installed of(Component component, String version) {
        return new Installed(component, version, Version.of(version), Optional.empty(), Set.of());
    }

    /** Its name and the most exact version that is known. */
    String title() {
        return component.title() + " "
                + packageVersion.map(PackageVersion::plain).orElse(version);
    }
}
