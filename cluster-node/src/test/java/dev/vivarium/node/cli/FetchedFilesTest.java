package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.terminal.UserError;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FetchedFilesTest {
    @TempDir
    private Path folder;

    @Test
    void filesAreWrittenWithTheirFoldersAndReplaceFiles() throws IOException {
        write("out/sub/a", "first", FileMode.EXECUTABLE);
        write("out/sub/a", "second", FileMode.PLAIN);

        assertThat(results().resolve("out/sub/a")).hasContent("second");
        assertThat(Files.isExecutable(results().resolve("out/sub/a"))).isFalse();
        try (var left = Files.list(results().resolve("out/sub"))) {
            assertThat(left).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "/etc/x", "a/../../x", "a//x", ".", "", "a/.", "a\0b"})
    void aPathOutOfTheFolderIsRefused(String path) {
        assertThatThrownBy(() -> write(path, "x", FileMode.PLAIN)).isInstanceOf(UserError.class);
        assertThat(folder.resolve("x")).doesNotExist();
    }

    @Test
    void nothingIsWrittenThroughALink() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Path precious = Files.writeString(elsewhere.resolve("precious"), "kept");
        Files.createDirectories(results());
        Files.createSymbolicLink(results().resolve("out"), elsewhere);
        Files.createSymbolicLink(results().resolve("link"), precious);

        assertThatThrownBy(() -> write("out/precious", "x", FileMode.PLAIN)).hasMessageContaining("not a folder");
        assertThatThrownBy(() -> write("link", "x", FileMode.PLAIN)).hasMessageContaining("not a file");
        assertThat(precious).hasContent("kept");
    }

    @Test
    void aFileWithAWrongDigestIsNotKept() throws IOException {
        Artifact artifact = new Artifact("a", FileMode.PLAIN, 1, Digest.of("y".getBytes(StandardCharsets.UTF_8)));

        assertThatThrownBy(
                        () -> new FetchedFiles(results()).write(artifact, new ByteArrayInputStream(new byte[] {'x'})))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another digest");
        try (var left = Files.list(results())) {
            assertThat(left).isEmpty();
        }
    }

    private Path results() {
        return folder.resolve("results");
    }

    private void write(String path, String content, FileMode mode) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        new FetchedFiles(results())
                .write(new Artifact(path, mode, bytes.length, Digest.of(bytes)), new ByteArrayInputStream(bytes));
    }
}
