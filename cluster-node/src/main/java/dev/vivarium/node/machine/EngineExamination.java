package dev.vivarium.node.machine;

import dev.vivarium.node.driver.docker.EngineReport;
import dev.vivarium.protocol.run.Isolation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Findings about what makes sandboxes, and from an engine's report about itself. */
final class EngineExamination {
    private static final String GVISOR = "runsc";
    /** The date in the version of Debian 12's gVisor. */
    private static final String DEBIAN_12 = "20221219";

    private static final String PLATFORM = "--platform=";

    private EngineExamination() {}

    static List<Finding> of(MachineFacts.Engine engine, MachineFacts.Driver driver) {
        if (engine instanceof MachineFacts.Engine.Answering answering) {
            List<Finding> findings = new ArrayList<>(of(answering.address(), answering.report()));
            if (driver instanceof MachineFacts.Driver.ByEngine) {
                findings.addAll(ofMaking(answering.report()));
            }
            findings.addAll(of(driver));
            return findings;
        }
        if (engine instanceof MachineFacts.Engine.Silent silent) {
            return List.of(new Finding(
                    Level.PROBLEM,
                    "engine",
                    "No container engine answers at " + silent.address() + ": " + silent.reason(),
                    "Install or start one (./vivarium setup as root), let this user use it (usermod -aG docker), or"
                            + " name another in DOCKER_HOST."));
        }
        return List.of(new Finding(
                Level.NOTE,
                "engine",
                "The node is configured without one (vivarium.driver.kind): it starts nothing.",
                ""));
    }

    private static List<Finding> of(String address, EngineReport report) {
        List<Finding> findings = new ArrayList<>();
        findings.add(Finding.ok(
                "engine",
                "Docker " + report.version() + " at " + address + ", images kept by " + report.storageDriver() + "."));
        if (report.place() == EngineReport.Place.ELSEWHERE) {
            findings.add(new Finding(
                    Level.NOTE,
                    "engine",
                    "The engine is on another machine: no network for sandboxes, no memory counted that no group"
                            + " counts, and nothing else here says anything about that machine.",
                    "Run the node on the engine's machine."));
        }
        if (report.securityOptions().contains("rootless")) {
            findings.add(new Finding(
                    Level.NOTE,
                    "engine",
                    "The engine runs without root: a wall more around it, and limits only as far as its user may set"
                            + " them.",
                    ""));
        }
        return findings;
    }

    /** What matters when the engine makes sandboxes, and not only delivers images. */
    private static List<Finding> ofMaking(EngineReport report) {
        List<Finding> findings = new ArrayList<>();
        if (!report.securityOptions().contains("seccomp")) {
            findings.add(new Finding(
                    Level.PROBLEM,
                    "engine",
                    "The engine cannot filter system calls (seccomp), so no sandbox of class container starts.",
                    "Take an engine that is built with seccomp."));
        }
        if (report.liveRestore() == EngineReport.LiveRestore.ON) {
            findings.add(new Finding(
                    Level.NOTE,
                    "live-restore",
                    "Containers outlive a restart of the engine. Sandboxes end all the same: their guests notice that"
                            + " the channel is gone.",
                    ""));
        }
        if (report.storageDriver().equals("vfs")) {
            findings.add(new Finding(
                    Level.WARNING,
                    "storage",
                    "The storage driver vfs copies the whole image for each sandbox: slow, and the disk fills.",
                    "Configure overlay2."));
        }
        findings.add(runtimes(report));
        return findings;
    }

    private static List<Finding> of(MachineFacts.Driver driver) {
        if (driver instanceof MachineFacts.Driver.Runtimes those) {
            List<Finding> findings = new ArrayList<>();
            findings.add(Finding.ok(
                    "driver",
                    "Sandboxes are made without the engine (driver oci): "
                            + those.runtimes().stream()
                                    .map(runtime -> "class "
                                            + runtime.isolation().name().toLowerCase(Locale.ROOT) + " by " + runtime)
                                    .collect(Collectors.joining(", "))
                            + "."));
            if (those.runtimes().stream()
                    .filter(runtime -> runtime.isolation() == Isolation.GVISOR)
                    .anyMatch(runtime -> runtime.version().contains(DEBIAN_12))) {
                findings.add(
                        new Finding(
                                Level.NOTE,
                                "gvisor",
                                "This gVisor does not know a flag (AT_NO_AUTOMOUNT) that the programs ls and stat of Debian 12"
                                        + " pass, so that they fail with \"Invalid argument\" in class gvisor.",
                                "Take a newer one, such as Debian 13's, which is one static program; or list folders by find."));
            }
            return findings;
        }
        if (driver instanceof MachineFacts.Driver.ByEngine engine) {
            return List.of(engine.whyNotRuntimes()
                    .map(why -> new Finding(
                            Level.NOTE,
                            "driver",
                            "The engine makes the sandboxes (driver docker), each in several times the time that a runtime"
                                    + " takes alone, since " + why + ".",
                            "Run the node as root beside its engine, with crun (./vivarium setup installs it)."))
                    .orElseGet(() ->
                            Finding.ok("driver", "The engine makes the sandboxes (vivarium.driver.kind is docker).")));
        }
        return driver instanceof MachineFacts.Driver.Missing missing
                ? List.of(new Finding(
                        Level.PROBLEM,
                        "driver",
                        "vivarium.driver.kind is oci, which cannot be used here: " + missing.why() + ".",
                        "Mend that, or set it to auto."))
                : List.of();
    }

    private static Finding runtimes(EngineReport report) {
        Optional<EngineReport.OciRuntime> gvisor =
                Optional.ofNullable(report.runtimes().get(GVISOR));
        String container = "Class container is run by " + report.defaultRuntime();
        if (gvisor.isEmpty()) {
            return new Finding(
                    Level.NOTE,
                    "runtimes",
                    container + "; class gvisor, with a kernel between agents and the host's, is not there.",
                    "./vivarium setup installs it where the distribution has it.");
        }
        String platform = gvisor.get().arguments().stream()
                .filter(argument -> argument.startsWith(PLATFORM))
                .map(argument -> argument.substring(PLATFORM.length()))
                .findFirst()
                .orElse("its default: ptrace before the summer of 2023, which is slow, and systrap since");
        return Finding.ok(
                "runtimes", container + ", class gvisor by " + gvisor.get().path() + " (platform " + platform + ").");
    }
}
