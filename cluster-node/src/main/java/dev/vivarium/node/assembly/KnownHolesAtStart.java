package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.machine.Finding;
import dev.vivarium.node.machine.Level;
import dev.vivarium.node.machine.MachineReport;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks the components below sandboxes against the list of known holes when a node starts. */
final class KnownHolesAtStart {
    private static final Logger LOG = LoggerFactory.getLogger(KnownHolesAtStart.class);
    private static final String KEY = "machine.refuse-known-holes";
    private static final String NEVER = "never";

    private KnownHolesAtStart() {}

    /**
     * Logs the findings. Waits for them only if the configuration refuses a node because of holes.
     *
     * @param vivarium the block {@code vivarium}
     * @param blocking executor of blocking work
     * @throws NodeStartException when there is a hole of a level at which the configuration refuses a node
     */
    static void look(Config vivarium, Executor blocking) throws NodeStartException {
        Optional<Level> refused = refusedFrom(vivarium);
        Config driver = vivarium.getConfig("driver");
        if (refused.isEmpty()) {
            blocking.execute(() -> log(MachineReport.ofKnownHoles(driver)));
            return;
        }
        MachineReport report = MachineReport.ofKnownHoles(driver);
        log(report);
        Optional<String> refusal = refusal(report, refused.get());
        if (refusal.isPresent()) {
            throw new NodeStartException(refusal.get());
        }
    }

    /** Why a node does not start on this machine; empty when it may. */
    static Optional<String> refusal(MachineReport report, Level from) {
        return report.findings().stream()
                .filter(finding -> finding.level().compareTo(from) >= 0)
                .findFirst()
                .map(worst ->
                        "vivarium." + KEY + " is " + from.word() + ", and " + worst.found() + " " + worst.remedy());
    }

    /** The lowest level at which no node starts; empty for none. */
    static Optional<Level> refusedFrom(Config vivarium) {
        String word = vivarium.getString(KEY);
        if (word.equals(NEVER)) {
            return Optional.empty();
        }
        return Optional.of(Arrays.stream(Level.values())
                .filter(level -> level != Level.OK && level.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new ConfigException.BadValue(
                        vivarium.getValue(KEY).origin(),
                        "vivarium." + KEY,
                        "must be never, problem, warning or note")));
    }

    private static void log(MachineReport report) {
        warnings(report).forEach(LOG::warn);
        LOG.info(summary(report));
    }

    /** A line for each hole that an agent or an image could use. */
    static List<String> warnings(MachineReport report) {
        return report.findings().stream()
                .filter(finding -> finding.level().compareTo(Level.WARNING) >= 0)
                .map(finding ->
                        "Known hole (" + finding.level().word() + "): " + finding.found() + " " + finding.remedy())
                .toList();
    }

    /** The list that was used, and the names of the holes that no sandbox can exploit. */
    static String summary(MachineReport report) {
        String others = report.findings().stream()
                .filter(finding -> finding.level() == Level.NOTE)
                .map(Finding::found)
                .map(found -> found.replaceFirst("\\. .*$", ""))
                .collect(Collectors.joining("; "));
        return "Versions were held against the holes known on " + report.holesKnownOn()
                + ". Out of reach for sandboxes: " + (others.isEmpty() ? "none" : others)
                + ". `vivarium doctor` says more.";
    }
}
