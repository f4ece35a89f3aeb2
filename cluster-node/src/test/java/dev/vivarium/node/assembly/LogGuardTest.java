package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.vivarium.node.NodeStartException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the nodes of a cluster come by the key of their log. */
class LogGuardTest {
    @TempDir
    private Path folder;

    private static Config cluster(String keyFile) {
        return ConfigFactory.load()
                .withValue("vivarium.store.kind", ConfigValueFactory.fromAnyRef("postgres"))
                .withValue("vivarium.audit.log.key-file", ConfigValueFactory.fromAnyRef(keyFile));
    }

    @Test
    void theKeyThatTheConfigurationNamesIsCreatedOnceForAllNodes() throws Exception {
        Path key = folder.resolve("audit-log.key");
        Config config = cluster(key.toString());

        assertThat(LogGuard.prepare(config).orElseThrow()).contains(key.toString());

        String created = Files.readString(key);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
        assertThat(LogGuard.prepare(config)).isEmpty();
        assertThat(Files.readString(key)).isEqualTo(created);
        assertThat(LogGuard.of(config, folder, "other").keys().orElseThrow().origin())
                .startsWith("vivarium/");
    }

    @Test
    void withoutAKeyToNameNothingIsCreatedAndNothingSigned() throws Exception {
        Config config = cluster("");

        assertThat(LogGuard.prepare(config)).isEmpty();
        assertThat(LogGuard.of(config, folder, "other").keys()).isEmpty();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aNodeMakesNoKeyThatOthersWouldLack() {
        Config config = cluster(folder.resolve("audit-log.key").toString());

        assertThatThrownBy(() -> LogGuard.of(config, folder, "other"))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("vivarium audit key");
        assertThat(folder).isEmptyDirectory();
    }
}
