package dev.vivarium.node.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher's own work, in a copy of the tree that looks built, with a Java that tells how it was called. */
class LauncherTest {
    private static final Path LAUNCHER =
            Path.of("").toAbsolutePath().getParent().resolve("vivarium");

    @TempDir
    private Path folder;

    private Path root;

    private record Ended(int code, String out, String err) {
        List<String> words() {
            return out.lines().toList();
        }
    }

    @BeforeEach
    void build() throws IOException {
        root = folder.resolve("a tree");
        for (String module : List.of("protocol", "client", "persistence", "cluster-node")) {
            Files.createDirectories(root.resolve(module).resolve("src/main"));
            Files.createFile(root.resolve(module).resolve("pom.xml"));
        }
        Files.createFile(root.resolve("pom.xml"));
        Files.copy(LAUNCHER, root.resolve("vivarium"), StandardCopyOption.COPY_ATTRIBUTES);
        touch(Files.createDirectories(target()).resolve("vivarium-node.jar"), 10);
        touch(target().resolve("launcher.stamp"), 10);
    }

    @Test
    void wordsReachTheProgramAsTheyWere() throws Exception {
        Ended ended = launch(java("17.0.9"), "run", "--", "sh", "-c", "a  b", "", "*", "$HOME", "'\"");

        assertThat(ended.code()).isZero();
        assertThat(ended.words())
                .endsWith("dev.vivarium.node.cli.Vivarium", "run", "--", "sh", "-c", "a  b", "", "*", "$HOME", "'\"");
    }

    @Test
    void aPipeIsNoTerminal() throws Exception {
        assertThat(launch(java("17.0.9"), "ps").words()).contains("-Dvivarium.terminal=");
    }

    @Test
    void itFindsItsTreeThroughSymlinksAndFromAnywhere() throws Exception {
        Path first = Files.createSymbolicLink(folder.resolve("first"), root.resolve("vivarium"));
        Path second = Files.createSymbolicLink(folder.resolve("second"), Path.of("first"));

        Ended ended = launch(Path.of("/"), second, java("17.0.9"), "ps");

        assertThat(first).isSymbolicLink();
        assertThat(ended.words()).contains("-Dvivarium.root=" + root.toRealPath());
    }

    @Test
    void theProgramReadsUtf8WhateverTheLocale() throws Exception {
        assertThat(launch(java("17.0.9"), "ps").err()).isEqualTo("LC_ALL=C.UTF-8\n");
    }

    @Test
    void javaOf24AndLaterIsToldWhatItWouldWarnOf() throws Exception {
        String option = "--enable-native-access=ALL-UNNAMED";

        assertThat(launch(java("25.0.1"), "up", "--help").words()).contains(option);
        assertThat(launch(java("17.0.9"), "up", "--help").words()).doesNotContain(option);
    }

    @Test
    void aClientHasTheFlagsOfItsRehearsalOrTheArchiveDoesNotFit() throws Exception {
        List<String> client = flags(launch(java("25.0.1"), "ps").words());
        List<String> rehearsal = flags(rehearsal(java("25.0.1")));

        assertThat(rehearsal).isNotEmpty().allMatch(client::contains);
        assertThat(client).allMatch(rehearsal::contains);
    }

    /** The words of the Java that a launcher calls to make the archive. */
    private List<String> rehearsal(Path javaHome) throws Exception {
        Path words = folder.resolve("rehearsed");
        Path program = javaHome.resolve("bin/java");
        Files.writeString(
                program, "#!/bin/sh\ncase \"$*\" in *DryRun*) printf '%s\\n' \"$@\" >'" + words + "' ;; esac\n");
        launch(javaHome, "up", "--help");
        return Files.readAllLines(words);
    }

    /** What configures the JVM itself, the archive's own options and properties aside. */
    private static List<String> flags(List<String> words) {
        return words.stream()
                .filter(word -> word.startsWith("-X") || word.startsWith("--"))
                .filter(word -> !word.contains(".jsa"))
                .toList();
    }

    @Test
    void anArchiveIsUsedWhereThereIsOneOfThisJavaAndThisBuild() throws Exception {
        Path archive = target().resolve("client-17.0.9.jsa");
        String option = "-XX:SharedArchiveFile=" + root.toRealPath().resolve("cluster-node/target/client-17.0.9.jsa");
        assertThat(launch(java("17.0.9"), "ps").words()).doesNotContain(option);

        touch(archive, 0);
        assertThat(launch(java("17.0.9"), "ps").words()).doesNotContain(option);

        touch(archive, 20);
        assertThat(launch(java("17.0.9"), "ps").words()).contains(option);
        assertThat(launch(java("25.0.1"), "ps").words()).doesNotContain(option);
    }

    @Test
    void skippedTestsAreCountedWithTheirReasonsAndFailInCi() throws Exception {
        Path reports = Files.createDirectories(root.resolve("protocol/target/surefire-reports"));
        Files.writeString(
                reports.resolve("TEST-a.xml"),
                """
                <testsuite>
                  <testcase name="ran" classname="a.B" time="0"/>
                  <testcase name="needsMore" classname="a.B" time="0">
                    <skipped message="Assumption failed: assumption was not met due to: [needs root] &#10;more" type="x"/>
                  </testcase>
                </testsuite>
                """);
        Files.setLastModifiedTime(
                reports.resolve("TEST-a.xml"), FileTime.from(Instant.now().plusSeconds(60)));

        Ended byHand = afterGreenTests(Map.of());
        Ended inCi = afterGreenTests(Map.of("CI", "true"));

        assertThat(byHand.code()).isZero();
        assertThat(byHand.err()).contains("skipped tests: 1", "a.B#needsMore: [needs root]");
        assertThat(inCi.code()).isEqualTo(1);
        assertThat(inCi.err()).contains("In CI every test must run.");
    }

    /** The end of the launcher's test command, where Maven has found nothing wrong. */
    private Ended afterGreenTests(Map<String, String> environment) throws Exception {
        Path programs = Files.createDirectories(folder.resolve("programs"));
        Files.writeString(programs.resolve("mvn"), "#!/bin/sh\nexit 0\n");
        Files.setPosixFilePermissions(programs.resolve("mvn"), PosixFilePermissions.fromString("rwxr-xr-x"));
        String functions = "eval \"$(sed -n '/^[a-z_]*() {$/,/^}$/p; /^say() /p' vivarium)\"; ";
        Map<String, String> all = new HashMap<>(Map.of("PATH", programs + ":" + System.getenv("PATH"), "CI", ""));
        all.putAll(environment);
        return run(
                root,
                all,
                List.of(
                        "bash",
                        "-c",
                        functions + "root=" + quoted(root) + " state=" + quoted(folder.resolve("state"))
                                + "; test_all"));
    }

    private static String quoted(Path path) {
        return "'" + path + "'";
    }

    @Test
    void theLauncherHasNothingThatShellcheckFinds() throws Exception {
        assumeTrue(isInstalled("shellcheck"), "shellcheck is not installed (./vivarium test installs it)");

        Ended ended = run(folder, Map.of(), List.of("shellcheck", LAUNCHER.toString()));

        assertThat(ended.out()).isEmpty();
        assertThat(ended.code()).isZero();
    }

    private Path target() {
        return root.resolve("cluster-node/target");
    }

    /** A Java of this version, which prints its words, one a line, and the locale that it was given. */
    private Path java(String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve("java-" + version));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        Path program = Files.createDirectories(home.resolve("bin")).resolve("java");
        Files.writeString(program, "#!/bin/sh\necho \"LC_ALL=$LC_ALL\" >&2\nprintf '%s\\n' \"$@\"\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return home;
    }

    private static void touch(Path file, int secondsAfterNow) throws IOException {
        Files.writeString(file, "");
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(secondsAfterNow)));
    }

    private static boolean isInstalled(String program) {
        for (String directory : System.getenv("PATH").split(":", -1)) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }

    private Ended launch(Path javaHome, String... words) throws Exception {
        return launch(root, root.resolve("vivarium"), javaHome, words);
    }

    private Ended launch(Path directory, Path launcher, Path javaHome, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(words));
        return run(directory, Map.of("JAVA_HOME", javaHome.toString()), command);
    }

    private Ended run(Path directory, Map<String, String> environment, List<String> command) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.equals("LANG"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Ended(process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
    }
}
