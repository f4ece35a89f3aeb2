package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.machine.Finding;
import dev.vivarium.node.machine.Level;
import dev.vivarium.node.machine.MachineReport;
import dev.vivarium.node.machine.RefusedHoles;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks the components below sandboxes against the list of known holes when a node starts. */
final class KnownHolesAtStart {
    private static final Logger LOG = LoggerFactory.getLogger(KnownHolesAtStart.class);

    private KnownHolesAtStart() {}

    /**
     * Looks for holes before anything of the node is started, if the configuration refuses a node because of them.
     *
     * @param vivarium the block {@code vivarium}
     * @throws NodeStartException when there is a hole of a level at which the configuration refuses a node, or the
     *     configuration of this is invalid
     */
    static void requireNone(Config vivarium) throws NodeStartException {
        Optional<Finding> refusal;
        try {
            refusal = RefusedHoles.from(vivarium)
                    .flatMap(from -> RefusedHoles.refusal(
                            MachineReport.ofKnownHoles(vivarium).findings(), from));
        } catch (ConfigException invalid) {
            throw new NodeStartException("The configuration is invalid: " + invalid.getMessage(), invalid);
        }
        if (refusal.isPresent()) {
            throw new NodeStartException(
                    refusal.get().found() + " " + refusal.get().remedy());
        }
    }

    /**
     * Logs the findings, without waiting for them.
     *
     * @param blocking executor of blocking work
     */
    static void log(Config vivarium, Executor blocking) {
        blocking.execute(() -> log(MachineReport.ofKnownHoles(vivarium)));
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
