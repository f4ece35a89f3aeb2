package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A node started from an installation with a missing library. */
@Timeout(120)
class BrokenInstallationTest {
    /** The exit code for an internal error in sysexits(3). */
    private static final int DEFECT = 70;

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @TempDir
    private Path folder;

    @Test
    void aNodeWhoseStartThrowsAnErrorReportsItAndExits() throws Exception {
        Path said = folder.resolve("said");
        Process node = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        without("pekko-http_"),
                        "-Dvivarium.driver.kind=idle",
                        "dev.vivarium.node.cli.Vivarium",
                        "up",
                        "--port",
                        "0",
                        "--data",
                        data.path().toString())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            assertThat(node.waitFor(60, TimeUnit.SECONDS)).as("has ended").isTrue();
            assertThat(node.exitValue()).isEqualTo(DEFECT);
            assertThat(Files.readString(said)).contains("this is a defect in Vivarium: java.lang.NoClassDefFoundError");
        } finally {
            node.destroyForcibly();
        }
    }

    private static String without(String library) {
        return Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getProperty("java.class.path"))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith(library))
                .collect(Collectors.joining(File.pathSeparator));
    }
}
