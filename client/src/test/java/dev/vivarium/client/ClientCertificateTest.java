package dev.vivarium.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of no use; those of use are presented in the tests of the node. */
class ClientCertificateTest {
    @TempDir
    private Path folder;

    @Test
    void withoutTheVariablesThereIsNone() throws IOException {
        assertThat(ClientCertificate.find(Map.of())).isEmpty();
    }

    @Test
    void oneVariableAloneIsAMistake() {
        assertThatThrownBy(() -> ClientCertificate.find(Map.of("VIVARIUM_CLIENT_KEY", "own.key")))
                .hasMessage("Set both of VIVARIUM_CLIENT_CERTIFICATE and VIVARIUM_CLIENT_KEY, or none.");
    }

    @Test
    void aFileWithoutACertificateIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("own.crt"), "no certificate");

        assertThatThrownBy(() -> ClientCertificate.find(
                        Map.of("VIVARIUM_CLIENT_CERTIFICATE", file.toString(), "VIVARIUM_CLIENT_KEY", file.toString())))
                .hasMessage(file + " must contain the client's certificate in PEM, and does not.");
    }
}
