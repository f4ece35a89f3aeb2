package dev.vivarium.node.cli.cluster;

import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import dev.vivarium.persistence.cassandra.LocalCassandra;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * The command that starts Cassandra as the store of a local cluster.
 *
 * @param java the Java 17
 * @param jars its class path, which contains none of this program's jars
 */
record CassandraCommand(Path java, List<Path> jars) {
    private static final String JAVA_HOME = "VIVARIUM_CASSANDRA_JAVA_HOME";
    private static final Path INSTALLED = Path.of("/usr/lib/jvm");
    private static final String FEATURE = "17";

    /**
     * Finds Java and the jars.
     *
     * @param classPath the server's class path, in which {@code folder/*} stands for all jars of a folder
     */
    static CassandraCommand find(String classPath, Map<String, String> environment) throws ClusterProblem, IOException {
        List<Path> jars = new ArrayList<>();
        for (String entry : classPath.split(":", -1)) {
            if (entry.endsWith("/*")) {
                addAll(jars, Path.of(entry.substring(0, entry.length() - 2)));
            } else if (!entry.isEmpty()) {
                jars.add(Path.of(entry));
            }
        }
        if (!LocalCassandra.isAmong(jars)) {
            throw new ClusterProblem(
                    Kind.UNAVAILABLE,
                    "Cassandra's programs are missing: start this by `./vivarium cluster up`, which fetches them.");
        }
        return new CassandraCommand(java(environment), jars);
    }

    private static void addAll(List<Path> jars, Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.jar")) {
                found.forEach(jars::add);
            }
        }
    }

    /** The Java named by the environment, otherwise that of this process, otherwise one in the usual places. */
    private static Path java(Map<String, String> environment) throws ClusterProblem, IOException {
        String named = environment.getOrDefault(JAVA_HOME, "");
        if (!named.isEmpty()) {
            String version = version(Path.of(named));
            if (!version.startsWith(FEATURE + ".") && !version.equals(FEATURE)) {
                throw new ClusterProblem(
                        Kind.UNAVAILABLE,
                        "Cassandra needs Java 17, and " + JAVA_HOME + "=" + named + " is "
                                + (version.isEmpty() ? "none" : version) + ".");
            }
            return Path.of(named, "bin", "java");
        }
        if (Runtime.version().feature() == Integer.parseInt(FEATURE)) {
            return Path.of(System.getProperty("java.home"), "bin", "java");
        }
        if (Files.isDirectory(INSTALLED)) {
            try (DirectoryStream<Path> homes = Files.newDirectoryStream(INSTALLED)) {
                for (Path home : homes) {
                    if (version(home).startsWith(FEATURE + ".") && Files.isExecutable(home.resolve("bin/java"))) {
                        return home.resolve("bin/java");
                    }
                }
            }
        }
        throw new ClusterProblem(
                Kind.UNAVAILABLE,
                "Cassandra needs Java 17; this is " + Runtime.version().feature() + ", and there is no 17 in "
                        + INSTALLED + ". Install one (Debian 12, as root: apt-get install openjdk-17-jre-headless), or"
                        + " set " + JAVA_HOME + " to its folder.");
    }

    /** The version in the file {@code release} of a Java; empty if there is none. */
    private static String version(Path home) {
        Properties release = new Properties();
        try (var file = Files.newBufferedReader(home.resolve("release"))) {
            release.load(file);
        } catch (IOException none) {
            return "";
        }
        return release.getProperty("JAVA_VERSION", "").replace("\"", "");
    }

    /** Writes the server's configuration into its folder, and returns its command. */
    List<String> prepare(Path folder, int port, int internalPort) throws IOException {
        LocalCassandra.configure(folder, "vivarium-local", port, internalPort);
        Files.createDirectories(folder.resolve("data"));
        List<String> words = new ArrayList<>(LocalCassandra.options(folder, jars));
        words.add("-XX:+ExitOnOutOfMemoryError");
        words.addAll(List.of(
                "-cp",
                String.join(":", jars.stream().map(Path::toString).toList()),
                "org.apache.cassandra.service.CassandraDaemon"));
        return words;
    }
}
