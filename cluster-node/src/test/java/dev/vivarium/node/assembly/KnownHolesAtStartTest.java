package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.machine.Finding;
import dev.vivarium.node.machine.Level;
import dev.vivarium.node.machine.MachineReport;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;

class KnownHolesAtStartTest {
    private static final Finding OF_AN_AGENT = new Finding(
            Level.PROBLEM, "kernel", "Linux 5.15.20 has CVE-1. An agent becomes root.", "Update the kernel.");
    private static final Finding OF_AN_IMAGE =
            new Finding(Level.WARNING, "runc", "runc 1.1.5 has CVE-2. An image leaves its container.", "Update runc.");
    private static final Finding OF_OTHERS =
            new Finding(Level.NOTE, "engine", "Docker 20.10.24 has CVE-3. A client passes plugins.", "Update Docker.");

    private static MachineReport report(Finding... findings) {
        return new MachineReport(LocalDate.of(2026, 11, 30), List.of(findings));
    }

    @Test
    void eachHoleThatAnAgentOrAnImageCanUseIsALine() {
        assertThat(KnownHolesAtStart.warnings(report(OF_AN_AGENT, OF_AN_IMAGE, OF_OTHERS)))
                .containsExactly(
                        "Known hole (problem): Linux 5.15.20 has CVE-1. An agent becomes root. Update the kernel.",
                        "Known hole (warning): runc 1.1.5 has CVE-2. An image leaves its container. Update runc.");
    }

    @Test
    void theOthersAreNamedInOneLineWithTheListsDate() {
        assertThat(KnownHolesAtStart.summary(report(OF_AN_AGENT, OF_OTHERS)))
                .contains("known on 2026-11-30")
                .contains("Out of reach for sandboxes: Docker 20.10.24 has CVE-3.")
                .doesNotContain("CVE-1");
        assertThat(KnownHolesAtStart.summary(report())).contains("Out of reach for sandboxes: none.");
    }
}
