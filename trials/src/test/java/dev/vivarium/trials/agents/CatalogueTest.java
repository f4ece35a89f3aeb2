package dev.vivarium.trials.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.run.KillReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CatalogueTest {
    private static final Path EXAMPLES = Path.of("..", "examples");

    @ParameterizedTest
    @ValueSource(strings = {"", "browser"})
    void everyExampleIsInTheCatalogueAndInItsReadme(String of) throws IOException {
        Path folder = EXAMPLES.resolve(of);
        Catalogue catalogue = Catalogue.of(folder);
        String readme = Files.readString(folder.resolve("README.md"));

        Set<String> named = catalogue.agents().stream()
                .flatMap(agent -> agent.files().stream())
                .collect(Collectors.toSet());
        try (Stream<Path> files = Files.list(folder)) {
            List<String> scripts = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".py"))
                    .toList();
            assertThat(named).containsExactlyInAnyOrderElementsOf(scripts);
            assertThat(scripts).allSatisfy(script -> assertThat(readme).contains(script));
        }
        assertThat(catalogue.agents())
                .allSatisfy(agent -> assertThat(readme).contains(agent.expect().words()));
    }

    @Test
    void everyLimitOfAnExampleIsShown() throws IOException {
        Set<KillReason> reasons = Catalogue.of(EXAMPLES).agents().stream()
                .flatMap(agent -> agent.expect().reason().stream())
                .collect(Collectors.toSet());

        assertThat(reasons)
                .containsExactlyInAnyOrder(
                        KillReason.WALL_CLOCK, KillReason.MEMORY, KillReason.PIDS, KillReason.DISK, KillReason.OUTPUT);
    }

    @Test
    void aSubmissionHoldsFilesLimitsAndSecrets() throws IOException {
        Agent researcher = Catalogue.of(EXAMPLES).agents().get(0);

        var body = researcher
                .submission(new Stage(EXAMPLES, "image", Optional.empty(), "canary", Map.of()))
                .body();

        assertThat(body.path("files").path("researcher.py").asText()).startsWith("\"\"\"A researcher");
        assertThat(body.path("secrets").path("RESEARCH_API_KEY").asText()).isEqualTo("canary");
        assertThat(body.path("labels").path("tenant").asText()).isEqualTo("library");
        assertThat(body.path("egress").path("mode").asText()).isEqualTo("none");
        assertThat(body.path("limits").path("memory").asText()).isEqualTo("64Mi");
    }

    @Test
    void anInvalidCatalogueIsRefused(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> Catalogue.of(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("There is no");
        Files.writeString(folder.resolve("catalogue.json"), "{\"agents\":7}");
        assertThatThrownBy(() -> Catalogue.of(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not as it must");
    }
}
