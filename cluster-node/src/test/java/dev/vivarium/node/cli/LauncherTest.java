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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher script, in a copy of the tree that looks built, with a fake Java that prints its arguments. */
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
        for (String module :
                List.of("protocol", "client", "terminal", "trials", "persistence", "cluster-node", "load-tests")) {
            Files.createDirectories(root.resolve(module).resolve("src/main"));
            Files.createFile(root.resolve(module).resolve("pom.xml"));
        }
        Files.createFile(root.resolve("pom.xml"));
        Files.copy(LAUNCHER, root.resolve("vivarium"), StandardCopyOption.COPY_ATTRIBUTES);
        for (String jar : List.of(
                "cluster-node/target/vivarium-node.jar",
                "trials/target/vivarium-trials.jar",
                "load-tests/target/vivarium-bench.jar")) {
            Path built = root.resolve(jar);
            Files.createDirectories(built.getParent());
            touch(built, 10);
            touch(built.resolveSibling("launcher.stamp"), 10);
        }
    }

    @Test
    void argumentsReachTheProgramUnchanged() throws Exception {
        Ended ended = launch(java("17.0.9"), "run", "--", "sh", "-c", "a  b", "", "*", "$HOME", "'\"");

        assertThat(ended.code()).isZero();
        assertThat(ended.words())
                .endsWith("dev.vivarium.node.cli.Vivarium", "run", "--", "sh", "-c", "a  b", "", "*", "$HOME", "'\"");
    }

    @ParameterizedTest
    @CsvSource({
        "up, dev.vivarium.node.cli.Vivarium",
        "quickstart, dev.vivarium.trials.Trials",
        "abuse, dev.vivarium.trials.Trials",
        "bench, dev.vivarium.loadtests.Bench"
    })
    void eachCommandIsPassedToItsProgram(String command, String program) throws Exception {
        assertThat(launch(java("17.0.9"), command, "--help").words()).contains(program);
    }

    @ParameterizedTest
    @ValueSource(strings = {"quickstart", "abuse", "bench"})
    void helpAboutAnotherProgramsCommandComesFromThatProgram(String command) throws Exception {
        assertThat(launch(java("17.0.9"), "help", command).words())
                .isEqualTo(launch(java("17.0.9"), command, "--help").words());
    }

    @ParameterizedTest
    @CsvSource({
        "ps, protocol, cluster-node",
        "ps, terminal, cluster-node",
        "quickstart, terminal, trials",
        "abuse, trials, trials",
        "bench, trials, load-tests"
    })
    void aProgramIsBuiltAgainWhenAModuleOfItHasChanged(String command, String changed, String program)
            throws Exception {
        touch(root.resolve(changed).resolve("pom.xml"), 20);

        assertThat(builds(command, "--help")).singleElement().asString().contains("-pl " + program + " -am");
    }

    @Test
    void aChangeOfTheTrialsDoesNotRebuildTheNode() throws Exception {
        touch(root.resolve("trials/pom.xml"), 20);

        assertThat(builds("ps")).isEmpty();
    }

    /** The calls of Maven, make and the compiler that a command causes, recorded by fake programs. */
    private List<String> builds(String... words) throws Exception {
        Path programs = Files.createDirectories(folder.resolve("programs"));
        Path calls = folder.resolve("calls");
        for (String name : List.of("mvn", "make", "musl-gcc")) {
            Files.writeString(programs.resolve(name), "#!/bin/sh\necho \"$*\" >>'" + calls + "'\n");
            Files.setPosixFilePermissions(programs.resolve(name), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Path java = java("17.0.9");
        Files.copy(java.resolve("bin/java"), java.resolve("bin/javac"), StandardCopyOption.COPY_ATTRIBUTES);
        List<String> command = new ArrayList<>(List.of(root.resolve("vivarium").toString()));
        command.addAll(List.of(words));
        run(root, Map.of("JAVA_HOME", java.toString(), "PATH", programs + ":" + System.getenv("PATH")), command);
        return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
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
    void java24AndLaterGetsTheOptionThatAvoidsItsWarning() throws Exception {
        String option = "--enable-native-access=ALL-UNNAMED";

        assertThat(launch(java("25.0.1"), "up", "--help").words()).contains(option);
        assertThat(launch(java("17.0.9"), "up", "--help").words()).doesNotContain(option);
    }

    @Test
    void aClientHasTheJvmFlagsThatItsArchiveWasCreatedWith() throws Exception {
        List<String> client = flags(launch(java("25.0.1"), "ps").words());
        List<String> archiveCreation = flags(archiveCreation(java("25.0.1")));

        assertThat(archiveCreation).isNotEmpty().allMatch(client::contains);
        assertThat(client).allMatch(archiveCreation::contains);
    }

    /** The arguments of the Java process that the launcher starts to create the archive. */
    private List<String> archiveCreation(Path javaHome) throws Exception {
        Path words = folder.resolve("rehearsed");
        Path program = javaHome.resolve("bin/java");
        Files.writeString(
                program, "#!/bin/sh\ncase \"$*\" in *DryRun*) printf '%s\\n' \"$@\" >'" + words + "' ;; esac\n");
        launch(javaHome, "up", "--help");
        return Files.readAllLines(words);
    }

    /** Options of the JVM, except those of the archive, and except properties. */
    private static List<String> flags(List<String> words) {
        return words.stream()
                .filter(word -> word.startsWith("-X") || word.startsWith("--"))
                .filter(word -> !word.contains(".jsa"))
                .filter(word -> !word.startsWith("-Xshare"))
                .toList();
    }

    @Test
    void commandsThatTalkToANodeOpenNoLibraryOfTheNode() throws Exception {
        Path libraries = Files.createDirectories(target().resolve("lib"));
        for (String jar : List.of("client-0.2.0.jar", "picocli-4.7.7.jar", "pekko-cluster_2.13-1.2.0.jar")) {
            Files.createFile(libraries.resolve(jar));
        }

        assertThat(classPath("ps"))
                .contains("/client-0.2.0.jar", "/picocli-4.7.7.jar")
                .doesNotContain("pekko-cluster", "*");
        assertThat(classPath("doctor")).endsWith("/lib/*");
        assertThat(classPath("store")).endsWith("/lib/*");
        assertThat(classPath("cluster")).endsWith("/lib/*");
        assertThat(classPath("up")).endsWith("/lib/*");
    }

    private String classPath(String command) throws Exception {
        List<String> words = launch(java("17.0.9"), command, "--help").words();
        return words.get(words.indexOf("-cp") + 1);
    }

    @Test
    void anArchiveOfThisJavaAndThisBuildIsUsed() throws Exception {
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

    /** The end of the launcher's test command after Maven has succeeded. */
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

    /** A tree with two recipes, and an engine that has images of recipes with these digests. */
    private String images(Map<String, String> had, String... words) throws Exception {
        Path programs = Files.createDirectories(folder.resolve("engine"));
        StringBuilder engine = new StringBuilder("#!/bin/sh\ncase \"$*\" in *_ping*) exit 0 ;;\n");
        had.forEach((name, digest) -> engine.append("*images/vivarium/")
                .append(name)
                .append("/json*) echo '{\"Labels\":{\"dev.vivarium.recipe\":\"")
                .append(digest)
                .append("\"}}' ;;\n"));
        Files.writeString(programs.resolve("curl"), engine.append("*) exit 22 ;; esac\n"));
        Files.setPosixFilePermissions(programs.resolve("curl"), PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String recipe : List.of("python", "browser")) {
            Path of = Files.createDirectories(root.resolve("images").resolve(recipe));
            Files.writeString(of.resolve("packages"), "# For " + recipe + ".\n" + recipe + "\n");
            Files.writeString(of.resolve("config"), "CMD [\"" + recipe + "\"]\n");
        }
        Files.copy(
                LAUNCHER.resolveSibling("images/build.sh"),
                root.resolve("images/build.sh"),
                StandardCopyOption.REPLACE_EXISTING);
        List<String> command = new ArrayList<>(List.of(root.resolve("vivarium").toString(), "images"));
        command.addAll(List.of(words));
        Ended ended = run(root, Map.of("PATH", programs + ":" + System.getenv("PATH")), command);
        return ended.out() + ended.err();
    }

    @Test
    void imagesAreListedWithTheirStateInTheEngine() throws Exception {
        assertThat(images(Map.of("python", "of-old")))
                .contains("vivarium/browser   not built; ./vivarium images build browser")
                .contains("vivarium/python    of another recipe; ./vivarium images build python");
    }

    @Test
    void anImageIsRebuiltOnlyWhenItsRecipeChanged() throws Exception {
        String digest = recipeOf("python");
        assertThat(images(Map.of("python", digest), "build", "python")).contains("vivarium/python    current");

        Files.writeString(root.resolve("images/python/config"), "CMD [\"another\"]\n");
        assertThat(recipeOf("python")).isNotEqualTo(digest);
    }

    private String recipeOf(String name) throws Exception {
        if (!Files.exists(root.resolve("images/build.sh"))) {
            images(Map.of());
        }
        Ended ended = run(
                root,
                Map.of("root", root.toString()),
                List.of("bash", "-c", ". images/build.sh; recipe_digest " + name));
        assertThat(ended.code()).as(ended.err()).isZero();
        return ended.out().strip();
    }

    @ParameterizedTest
    @ValueSource(strings = {"opera", "../python", "PYTHON", "*"})
    void aMissingRecipeIsRefusedWithTheAvailableOnes(String name) throws Exception {
        assertThat(images(Map.of(), "build", name))
                .contains("There is no recipe images/" + name + ". There are: browser python.");
    }

    @Test
    void shellcheckFindsNothingInTheScripts() throws Exception {
        assumeTrue(isInstalled("shellcheck"), "shellcheck is not installed (./vivarium test installs it)");

        Ended ended = run(
                LAUNCHER.getParent(),
                Map.of(),
                List.of("shellcheck", "-x", "vivarium", "images/build.sh", "engines/trixie"));

        assertThat(ended.out()).isEmpty();
        assertThat(ended.code()).isZero();
    }

    private Path target() {
        return root.resolve("cluster-node/target");
    }

    /** A fake Java of this version, which prints its arguments, one per line, and its locale. */
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
