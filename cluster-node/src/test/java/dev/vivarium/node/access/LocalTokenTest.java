package dev.vivarium.node.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.TokenSeal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalTokenTest {
    private static final int ANOTHER_USER = 54_321;

    private final TokenSeal seal = new TokenSeal(List.of(SecretSeal.Key.random()));

    @TempDir
    private Path folder;

    @Test
    void theFirstStartMakesATokenThatOnlyItsOwnerCanReadAndLaterOnesKeepIt() throws Exception {
        Path file = folder.resolve("home").resolve("token");

        String made = LocalToken.in(file, seal).newText().orElseThrow();

        assertThat(TokenSeal.isWhole(made)).isTrue();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        LocalToken later = LocalToken.in(file, new TokenSeal(List.of(SecretSeal.Key.random())));
        assertThat(later.newText()).isEmpty();
        assertThat(later.matches(made)).isTrue();
        assertThat(later.matches(made.substring(1))).isFalse();
        assertThat(later.matches(made.replace('v', '\u1e7f'))).isFalse();
        assertThat(later.matches("")).isFalse();
    }

    @Test
    void aTokenThatOthersCanReadKeepsTheNodeFromStarting() throws Exception {
        Path file = kept();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        assertRefused(file, "Others than its owner can use " + file);
    }

    @Test
    void aTokenThatAnotherUserHasMadeKeepsTheNodeFromStarting() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Path file = kept();
        Files.setAttribute(file, "unix:uid", ANOTHER_USER);

        assertRefused(file, "who has made it knows the token");

        // That of the home's owner is no stranger's: a node that is started with sudo.
        Files.setAttribute(folder, "unix:uid", ANOTHER_USER);
        assertThat(LocalToken.in(file, seal).newText()).isEmpty();
    }

    @Test
    void aLinkIsNotFollowed() throws Exception {
        Path link = folder.resolve("link");
        Files.createSymbolicLink(link, kept());

        assertRefused(link, "is no plain file");
        assertRefused(Files.createDirectory(folder.resolve("a-folder")), "is no plain file");
    }

    @Test
    void whatIsNoTokenIsRefused() throws Exception {
        Path file = kept();

        for (String text : List.of("", "viv_1234", "x".repeat(10_000))) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> LocalToken.in(file, seal)).isInstanceOf(NodeStartException.class);
        }
    }

    private Path kept() throws NodeStartException {
        Path file = folder.resolve("token");
        assertThat(LocalToken.in(file, seal).newText()).isPresent();
        return file;
    }

    private void assertRefused(Path file, String sentence) throws IOException {
        assertThatThrownBy(() -> LocalToken.in(file, seal))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining(sentence);
    }
}
