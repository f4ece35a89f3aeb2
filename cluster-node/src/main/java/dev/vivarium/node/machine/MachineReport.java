package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/**
 * The findings about a machine.
 *
 * @param holesKnownOn the day of the list of known holes
 * @param findings the findings
 */
public record MachineReport(LocalDate holesKnownOn, List<Finding> findings) {
    public MachineReport {
        findings = List.copyOf(findings);
    }

    /**
     * Examines this machine. Blocks.
     *
     * @param config the node's whole configuration
     * @param data its data folder
     * @param host the address that its API listens on
     * @param port its port
     */
    public static MachineReport of(Config config, Path data, String host, int port) {
        Config vivarium = config.getConfig("vivarium");
        KnownHoles known = KnownHoles.read(vivarium);
        MachineFacts facts =
                MachineReader.ofThisMachine().read(config, data, NodeSettingsReader.read(config, host, port));
        List<Finding> findings = new ArrayList<>(Examination.of(facts, known));
        RefusedHoles.from(vivarium)
                .flatMap(from -> RefusedHoles.refusal(known.in(facts.installed()), from))
                .ifPresent(findings::add);
        return new MachineReport(known.date(), findings);
    }

    /**
     * Checks only the versions against the list of known holes. Blocks.
     *
     * @param vivarium the block {@code vivarium}
     */
    public static MachineReport ofKnownHoles(Config vivarium) {
        KnownHoles known = KnownHoles.read(vivarium);
        return new MachineReport(
                known.date(), known.in(MachineReader.ofThisMachine().installed(vivarium.getConfig("driver"))));
    }

    /** The worst level of all findings. */
    public Level worst() {
        return findings.stream().map(Finding::level).max(Level::compareTo).orElse(Level.OK);
    }
}
