package dev.vivarium.node.machine;

import dev.vivarium.node.driver.docker.EngineReport;
import dev.vivarium.node.driver.oci.OciRuntime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The versions of the components below sandboxes, from the kernel, the engine, the programs and the package manager. */
final class InstalledComponents {
    /** Debian's build string has the upstream version, while the release stays the same: 6.1.0-18-amd64 is 6.1.76. */
    private static final Pattern DEBIAN_KERNEL = Pattern.compile("Debian (\\d+\\.\\d+\\.\\d+)[-~+]");
    /** Kernels that keep their original number and get fixes backported. */
    private static final Pattern OWN_NUMBERS =
            Pattern.compile("\\.el\\d|-generic$|-lowlatency$|-(aws|azure|gcp|oracle|kvm|gke)$|-default$");

    private static final Pattern PROGRAM_VERSION = Pattern.compile("version (\\S{1,100})");

    private final HostFiles files;
    private final Map<String, String> packages;

    InstalledComponents(HostFiles files) {
        this.files = files;
        this.packages = files.packages(Arrays.stream(Component.values())
                .flatMap(component -> component.packages().stream())
                .collect(Collectors.toSet()));
    }

    /** The upstream version of a kernel; empty when its number does not show what was fixed. */
    static Optional<Version> kernelVersion(String release, String description) {
        Matcher debian = DEBIAN_KERNEL.matcher(description);
        if (debian.find()) {
            return Version.of(debian.group(1));
        }
        return OWN_NUMBERS.matcher(release).find() ? Optional.empty() : Version.of(release);
    }

    static Installed kernel(MachineFacts.Kernel kernel) {
        return new Installed(Component.KERNEL, kernel.release(), kernel.version(), Optional.empty(), Set.of());
    }

    /** An engine, from its report; with its package, if it is on this machine. */
    List<Installed> ofEngine(EngineReport engine) {
        List<Installed> found = new ArrayList<>();
        boolean here = isHere(engine);
        found.add(installed(Component.ENGINE, engine.version(), here));
        version(engine, "containerd").ifPresent(version -> found.add(installed(Component.CONTAINERD, version, here)));
        return found;
    }

    /** The runtimes of an engine that makes sandboxes. */
    List<Installed> ofRuntimes(EngineReport engine, Programs programs) {
        List<Installed> found = new ArrayList<>();
        boolean here = isHere(engine);
        version(engine, "runc").ifPresent(version -> found.add(installed(Component.RUNC, version, here)));
        if (here) {
            engine.runtimes().forEach((name, runtime) -> ofRuntime(name, runtime, programs)
                    .ifPresent(found::add));
        }
        return found;
    }

    /** A runtime of this machine that makes sandboxes without an engine. */
    Installed ofRuntime(OciRuntime runtime) {
        return installed(Component.valueOf(runtime.name().toUpperCase(Locale.ROOT)), runtime.version(), true);
    }

    private static boolean isHere(EngineReport engine) {
        return engine.place() == EngineReport.Place.THIS_MACHINE;
    }

    private static Optional<String> version(EngineReport engine, String component) {
        return Optional.ofNullable(engine.components().get(component));
    }

    private Optional<Installed> ofRuntime(String name, EngineReport.OciRuntime runtime, Programs programs) {
        String program = runtime.path().isEmpty() ? name : runtime.path();
        Optional<Component> component = program.endsWith("runsc")
                ? Optional.of(Component.RUNSC)
                : program.endsWith("crun") ? Optional.of(Component.CRUN) : Optional.empty();
        return component.flatMap(known -> programs.firstLines(program, "--version")
                .flatMap(InstalledComponents::version)
                .map(version -> installed(known, version, true)));
    }

    static Optional<String> version(String printed) {
        Matcher version = PROGRAM_VERSION.matcher(printed);
        return version.find() ? Optional.of(version.group(1)) : Optional.empty();
    }

    private Installed installed(Component component, String version, boolean here) {
        Optional<Map.Entry<String, String>> holds = here
                ? packages.entrySet().stream()
                        .filter(known -> component.packages().contains(known.getKey()))
                        .filter(known -> PackageVersion.isOf(known.getValue(), version))
                        .findFirst()
                : Optional.empty();
        return new Installed(
                component,
                version,
                Version.of(version),
                // A distribution's engine reports its package's version.
                Optional.of(holds.map(Map.Entry::getValue).orElse(version)),
                holds.map(Map.Entry::getKey).map(files::mendedIn).orElse(Set.of()));
    }
}
