package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CertificatesCommandTest {
    private final CommandLineFixture line = new CommandLineFixture();

    @TempDir
    private Path home;

    @BeforeEach
    void aHome() {
        line.home = home;
    }

    @Test
    void certificatesAreMadeOnceRenewedByNameAndRevoked() throws IOException {
        assertThat(line.run("certificates", "init", "--cluster", "agents", "node-1", "node-2"))
                .isZero();
        assertThat(line.printed()).contains("node-1: ").contains("node-2: ");
        assertThat(line.noted()).contains("vivarium.cluster.tls { certificate = \"" + home);
        Path folder = home.resolve("certificates");
        String first = Files.readString(folder.resolve("node-1.crt"));

        assertThat(line.run("certificates", "init", "node-1")).isZero();
        assertThat(line.noted()).contains("there is a certificate of node-1 already");
        assertThat(line.run("certificates", "renew")).isZero();
        assertThat(line.noted()).contains("no certificate is due");
        assertThat(Files.readString(folder.resolve("node-1.crt"))).isEqualTo(first);

        assertThat(line.run("certificates", "renew", "node-1")).isZero();
        assertThat(Files.readString(folder.resolve("node-1.crt"))).isNotEqualTo(first);

        assertThat(line.run("certificates", "revoke", "node-2")).isZero();
        line.out.reset();
        assertThat(line.run("certificates", "list")).isZero();
        assertThat(line.printed()).containsPattern("node-1 .*good").containsPattern("node-2 .*revoked");

        assertThat(line.run("certificates", "renew")).isZero();
        line.out.reset();
        assertThat(line.run("certificates", "list", "-o", "json")).isZero();
        assertThat(line.printed()).contains("\"cluster\" : \"agents\"").doesNotContain("revoked");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "init ../node | a name is 1 to 63 letters",
                "init authority | is the name of the authority itself",
                "init --expires 1m | --expires must be at least 1h",
                "init --expires soon | --expires ",
                "revoke | NAME",
                "'' | a command is missing",
            })
    void wrongUsageIsNamed(String words, String sentence) {
        assertThat(line.run(("certificates " + words).strip().split(" "))).isEqualTo(ExitCode.USAGE);
        assertThat(line.noted()).contains(sentence);
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThat(line.run("certificates", "renew")).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(line.noted()).contains("there is no authority in " + home.resolve("certificates"));
        assertThat(line.run("certificates", "init", "node-1")).isZero();
        assertThat(line.run("certificates", "revoke", "node-9")).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(line.noted()).contains("there is no certificate of node-9");
    }
}
