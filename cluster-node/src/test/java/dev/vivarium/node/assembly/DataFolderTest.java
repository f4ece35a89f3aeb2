package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
    @TempDir
    private Path home;

    @Test
    void aNodeWithASharedStoreMakesItForItsOwnerAlone() throws Exception {
        Path folder = home.resolve("node-2").resolve("data");

        DataFolder.make(folder);

        assertThat(permissions(folder)).isEqualTo("rwx------");
    }

    @Test
    void oneThatIsThereIsLeftAsItIs() throws Exception {
        Path folder = Files.createDirectory(home.resolve("data"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.writeString(folder.resolve("audit-checkpoint"), "seen");

        DataFolder.make(folder);

        assertThat(permissions(folder)).isEqualTo("rwx--x--x");
        assertThat(folder.resolve("audit-checkpoint")).hasContent("seen");
    }

    @Test
    void aPlaceThatIsNoFolderIsRefusedInASentence() throws Exception {
        Path file = Files.writeString(home.resolve("file"), "");

        assertThatThrownBy(() -> DataFolder.make(file.resolve("data")))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("name another one with --data");
    }

    private static String permissions(Path folder) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(folder));
    }
}
