package dev.vivarium.persistence.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallationTest {
    @TempDir
    private Path data;

    @Test
    void anInstallationKeepsItsId() throws Exception {
        Installation first = Installation.of(data);

        assertThat(Installation.of(data)).isEqualTo(first);
        assertThat(first.id()).matches("[0-9a-z]{26}");
    }

    @Test
    void aTruncatedIdIsRefusedSinceItsSandboxesWouldBeOrphaned() throws Exception {
        for (String half : new String[] {"", "01hzzz", "01hzzzzzzzzzzzzzzzzzzzzzzz-and-more"}) {
            Files.writeString(data.resolve("installation"), half);

            assertThatThrownBy(() -> Installation.of(data))
                    .isInstanceOf(StoreUnavailable.class)
                    .hasMessageContaining("does not hold the name of an installation");
        }
    }

    @Test
    void anUnusableDirectoryIsReportedInASentence() {
        assertThatThrownBy(() -> Installation.of(data.resolve("missing")))
                .isInstanceOf(StoreUnavailable.class)
                .hasMessageContaining("cannot be used");
    }
}
