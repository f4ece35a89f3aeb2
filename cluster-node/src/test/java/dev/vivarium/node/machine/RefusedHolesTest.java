package dev.vivarium.node.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RefusedHolesTest {
    private static final Finding OF_AN_AGENT = new Finding(
            Level.PROBLEM, "kernel", "Linux 5.15.20 has CVE-1. An agent becomes root.", "Update the kernel.");
    private static final Finding OF_AN_IMAGE =
            new Finding(Level.WARNING, "runc", "runc 1.1.5 has CVE-2. An image leaves its container.", "Update runc.");
    private static final Finding OF_OTHERS =
            new Finding(Level.NOTE, "engine", "Docker 20.10.24 has CVE-3. A client passes plugins.", "Update Docker.");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"PROBLEM, CVE-1", "WARNING, CVE-1", "NOTE, CVE-1"})
    void aNodeIsRefusedForTheWorst(Level from, String named) {
        assertThat(RefusedHoles.refusal(List.of(OF_AN_AGENT, OF_AN_IMAGE, OF_OTHERS), from))
                .hasValueSatisfying(refusal -> {
                    assertThat(refusal.level()).isEqualTo(Level.PROBLEM);
                    assertThat(refusal.found())
                            .startsWith("No node starts on this machine: vivarium.machine.refuse-known-holes is "
                                    + from.word() + ", and ")
                            .contains(named);
                    assertThat(refusal.remedy()).isEqualTo("Update the kernel.");
                });
    }

    @Test
    void holesBelowTheLevelRefuseNoNode() {
        assertThat(RefusedHoles.refusal(List.of(OF_AN_IMAGE, OF_OTHERS), Level.PROBLEM))
                .isEmpty();
        assertThat(RefusedHoles.refusal(List.of(OF_OTHERS), Level.WARNING)).isEmpty();
        assertThat(RefusedHoles.refusal(List.of(), Level.NOTE)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = Level.class,
            names = {"PROBLEM", "WARNING", "NOTE"})
    void aLevelIsReadByItsWord(Level level) {
        assertThat(RefusedHoles.from(refuse(level.word()))).contains(level);
    }

    @Test
    void asShippedNoNodeIsRefused() {
        assertThat(RefusedHoles.from(ConfigFactory.defaultReference().getConfig("vivarium")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ok", "always", "PROBLEM"})
    void anotherWordIsRefusedWithThoseThatThereAre(String word) {
        assertThatThrownBy(() -> RefusedHoles.from(refuse(word)))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("must be never, problem, warning or note");
    }

    private static Config refuse(String word) {
        return ConfigFactory.parseString("machine.refuse-known-holes = " + word);
    }

    @Test
    void theOperatorsListIsAddedToThatOfTheBuild() throws IOException {
        KnownHoles own = KnownHoles.read();
        KnownHoles both = KnownHoles.read(
                more(
                        """
                date = "2031-01-02"
                holes = [ { id = CVE-2031-1, component = kernel, reach = agent, affected = ["0 .. 99.0"], patched = []
                  allows = "All.", do = "Update." } ]
                """));

        assertThat(both.date()).isEqualTo("2031-01-02");
        assertThat(both.holes()).hasSize(own.holes().size() + 1).containsAll(own.holes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "holes = []|date",
                "date = today, holes = []|today",
                "date = \"2031-01-02\", holes = [{}]|id",
                "{|no list"
            })
    void aListThatCannotBeReadIsRefusedWithTheReason(String list, String reason) {
        assertThatThrownBy(() -> KnownHoles.read(more(list)))
                .isInstanceOf(ConfigException.BadValue.class)
                .hasMessageContaining("more-known-holes")
                .hasMessageContaining("is no list of known holes")
                .hasMessageContaining(reason);
        assertThatThrownBy(() ->
                        KnownHoles.read(ConfigFactory.parseString("machine.more-known-holes = /nowhere/holes.conf")))
                .hasMessageContaining("/nowhere/holes.conf");
    }

    private Config more(String list) throws IOException {
        Path file = Files.writeString(folder.resolve("more.conf"), list);
        return ConfigFactory.parseString("machine.more-known-holes = \"" + file + "\"");
    }
}
