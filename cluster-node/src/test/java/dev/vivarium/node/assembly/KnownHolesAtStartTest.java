package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.machine.Finding;
import dev.vivarium.node.machine.Level;
import dev.vivarium.node.machine.MachineReport;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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

    @ParameterizedTest
    @CsvSource({"PROBLEM, CVE-1", "WARNING, CVE-1", "NOTE, CVE-1"})
    void aNodeIsRefusedForTheWorst(Level from, String named) {
        assertThat(KnownHolesAtStart.refusal(report(OF_AN_AGENT, OF_AN_IMAGE, OF_OTHERS), from))
                .hasValueSatisfying(sentence -> assertThat(sentence)
                        .startsWith("vivarium.machine.refuse-known-holes is " + from.word() + ", and ")
                        .contains(named)
                        .endsWith("Update the kernel."));
    }

    @Test
    void holesBelowTheLevelRefuseNoNode() {
        assertThat(KnownHolesAtStart.refusal(report(OF_AN_IMAGE, OF_OTHERS), Level.PROBLEM))
                .isEmpty();
        assertThat(KnownHolesAtStart.refusal(report(OF_OTHERS), Level.WARNING)).isEmpty();
        assertThat(KnownHolesAtStart.refusal(report(), Level.NOTE)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Level.class,
            names = {"PROBLEM", "WARNING", "NOTE"})
    void aLevelIsReadByItsWord(Level level) {
        assertThat(KnownHolesAtStart.refusedFrom(refuse(level.word()))).contains(level);
    }

    @Test
    void asShippedNoNodeIsRefused() {
        assertThat(KnownHolesAtStart.refusedFrom(
                        ConfigFactory.defaultReference().getConfig("vivarium")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ok", "always", "PROBLEM"})
    void anotherWordIsRefusedWithThoseThatThereAre(String word) {
        assertThatThrownBy(() -> KnownHolesAtStart.refusedFrom(refuse(word)))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("must be never, problem, warning or note");
    }

    private static Config refuse(String word) {
        return ConfigFactory.parseString("machine.refuse-known-holes = " + word);
    }
}
