package dev.vivarium.node.machine;

import dev.vivarium.node.driver.docker.EngineReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Findings from an engine's report about itself. */
final class EngineExamination {
    private static final String GVISOR = "runsc";
    private static final String PLATFORM = "--platform=";

    private EngineExamination() {}

    static List<Finding> of(MachineFacts.Engine engine) {
        if (engine instanceof MachineFacts.Engine.Answering answering) {
            return of(answering.address(), answering.report());
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
