package dev.vivarium.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialsTest {
    @TempDir
    private Path home;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(home.resolve("token"), "viv_local\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1:8080", "http://127.1.2.3", "http://localhost:1", "http://[::1]:8080"})
    void theTokenOfThisMachineIsPresentedOnThisMachine(String server) {
        assertThat(Credentials.find(URI.create(server), Map.of(), home).token()).contains("viv_local");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://10.0.0.1:8080",
                "http://127.0.0.1.example.org",
                "http://localhost.example.org",
                "http://example.org/127.0.0.1",
                "http://127.0.0.1@example.org",
                "http://[::2]:8080"
            })
    void andToNoOtherMachine(String server) {
        assertThat(Credentials.find(URI.create(server), Map.of(), home)).isEqualTo(Credentials.NONE);
    }

    @Test
    void aNamedTokenIsPresentedEverywhere() {
        Map<String, String> named = Map.of("VIVARIUM_TOKEN", " viv_named\n");

        assertThat(Credentials.find(URI.create("http://127.0.0.1"), named, home).token())
                .contains("viv_named");
        assertThat(Credentials.find(URI.create("https://example.org"), named, home)
                        .token())
                .contains("viv_named");
    }

    @Test
    void aFileThatIsMissingEmptyOrNoTokenIsNone() throws IOException {
        Path file = home.resolve("token");
        Files.writeString(file, "\n");
        assertThat(Credentials.in(file)).isEqualTo(Credentials.NONE);
        Files.writeString(file, "x".repeat(5_000));
        assertThat(Credentials.in(file)).isEqualTo(Credentials.NONE);
        Files.delete(file);
        assertThat(Credentials.in(file)).isEqualTo(Credentials.NONE);
    }

    @Test
    void theTokenIsNotPartOfTheText() {
        assertThat(Credentials.of("viv_secret").toString()).doesNotContain("viv_secret");
    }
}
