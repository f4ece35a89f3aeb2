package dev.vivarium.trials;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrialsTest {
    private final CommandLineFixture line = new CommandLineFixture();

    @ParameterizedTest
    @ValueSource(strings = {"quickstart", "abuse"})
    void everyCommandHasHelp(String command) {
        assertThat(line.run(command, "--help")).isZero();
        assertThat(line.printed()).contains("Usage: vivarium " + command).doesNotContain("\u001b");
    }

    @Test
    void theSuiteListsItsPayloadsWithoutANode() {
        assertThat(line.run("abuse", "--list")).isZero();
        assertThat(line.printed()).contains("PAYLOAD").contains("fork_bomb").contains("KILLED PIDS");
    }

    @Test
    void anUnknownPayloadIsRefused() {
        assertThat(line.run("abuse", "no_such_payload")).isEqualTo(66);
        assertThat(line.noted()).contains("there is no payload 'no_such_payload'");
    }

    @Test
    void anInvalidAddressIsAUsageError() {
        assertThat(line.run("abuse", "fork_bomb", "--url", "ftp://x")).isEqualTo(2);
        assertThat(line.noted()).contains("'ftp://x' is not the address of a node");
    }

    @Test
    void theReasonWhyANodeDoesNotStartIsPrinted(@TempDir Path folder) {
        line.home = folder;

        assertThat(line.run("abuse", "fork_bomb")).isEqualTo(69);
        assertThat(line.noted()).isEqualTo("vivarium: This test starts no node.\n");
    }
}
