package dev.vivarium.node.cli.cluster;

import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * How Cassandra is started as the store of a local cluster: one server, durable (each write is on disk before it is
 * acknowledged), with a small heap. It runs on Java 17 alone, whatever the nodes run on.
 *
 * @param java the Java 17
 * @param jars its own class path, which meets none of ours
 */
record CassandraCommand(Path java, List<Path> jars) {
    static final String DATACENTER = "datacenter1";

    private static final String JAVA_HOME = "VIVARIUM_CASSANDRA_JAVA_HOME";
    private static final Path INSTALLED = Path.of("/usr/lib/jvm");
    private static final String FEATURE = "17";

    /**
     * Finds what is needed.
     *
     * @param classPath of the server, where an entry may stand for all jars of a folder, as in {@code folder/*}
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
        if (jars.stream().noneMatch(jar -> jar.toString().contains("/jamm-"))) {
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

    /** The one that the environment names, else this process's own, else one where Linux keeps them. */
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

    /** What the file {@code release} of a Java says; empty when there is no such Java. */
    private static String version(Path home) {
        Properties release = new Properties();
        try (var file = Files.newBufferedReader(home.resolve("release"))) {
            release.load(file);
        } catch (IOException none) {
            return "";
        }
        return release.getProperty("JAVA_VERSION", "").replace("\"", "");
    }

    /** Writes the server's configuration into its folder, and gives its words. */
    List<String> prepare(Path folder, int port, int internalPort) throws IOException {
        Files.createDirectories(folder.resolve("data"));
        Files.writeString(
                folder.resolve("cassandra.yaml"),
                SETTINGS.replace(
                                "%FOLDER%",
                                folder.toString().replace("\\", "\\\\").replace("\"", "\\\""))
                        .replace("%PORT%", Integer.toString(port))
                        .replace("%INTERNAL_PORT%", Integer.toString(internalPort)));
        Files.writeString(folder.resolve("cassandra-rackdc.properties"), "dc=" + DATACENTER + "\nrack=rack1\n");
        Files.writeString(folder.resolve("logback.xml"), LOGBACK);
        List<String> words = new ArrayList<>(
                List.of("-Xms64m", "-Xmx768m", "-XX:+UseSerialGC", "-Xss512k", "-XX:+ExitOnOutOfMemoryError"));
        words.add("-javaagent:"
                + jars.stream()
                        .filter(jar -> jar.toString().contains("/jamm-"))
                        .findFirst()
                        .orElseThrow());
        words.add("-Djdk.attach.allowAttachSelf=true");
        EXPORTS.forEach(exported -> words.addAll(List.of("--add-exports", exported + "=ALL-UNNAMED")));
        OPENS.forEach(opened -> words.addAll(List.of("--add-opens", opened + "=ALL-UNNAMED")));
        words.add("-Dcassandra.config=" + folder.resolve("cassandra.yaml").toUri());
        words.add("-Dcassandra-rackdc.properties="
                + folder.resolve("cassandra-rackdc.properties").toUri());
        words.add("-Dcassandra.storagedir=" + folder.resolve("data"));
        words.add("-Dlogback.configurationFile=" + folder.resolve("logback.xml"));
        // It has no peers to wait for.
        words.addAll(List.of(
                "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                "-Dcassandra.ring_delay_ms=100",
                "-Dcassandra.superuser_setup_delay_ms=0",
                "-Dcassandra-foreground=yes"));
        words.addAll(List.of(
                "-cp",
                String.join(":", jars.stream().map(Path::toString).toList()),
                "org.apache.cassandra.service.CassandraDaemon"));
        return words;
    }

    private static final String SETTINGS =
            """
            cluster_name: vivarium-local
            num_tokens: 1
            partitioner: org.apache.cassandra.dht.Murmur3Partitioner
            endpoint_snitch: GossipingPropertyFileSnitch
            seed_provider:
              - class_name: org.apache.cassandra.locator.SimpleSeedProvider
                parameters:
                  - seeds: "127.0.0.1:%INTERNAL_PORT%"
            listen_address: 127.0.0.1
            storage_port: %INTERNAL_PORT%
            rpc_address: 127.0.0.1
            native_transport_port: %PORT%
            start_native_transport: true
            data_file_directories: ["%FOLDER%/data/sstables"]
            commitlog_directory: "%FOLDER%/data/commitlog"
            saved_caches_directory: "%FOLDER%/data/caches"
            hints_directory: "%FOLDER%/data/hints"
            cdc_raw_directory: "%FOLDER%/data/cdc"
            commitlog_sync: batch
            commitlog_segment_size: 16MiB
            commitlog_total_space: 256MiB
            memtable_heap_space: 64MiB
            memtable_offheap_space: 64MiB
            memtable_allocation_type: heap_buffers
            concurrent_reads: 8
            concurrent_writes: 16
            concurrent_compactors: 1
            key_cache_size: 4MiB
            paxos_variant: v2
            auto_snapshot: false
            disk_failure_policy: stop
            commit_failure_policy: stop
            """;

    private static final String LOGBACK =
            """
            <configuration>
              <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>%date %-5level %logger{20} %msg%n</pattern></encoder>
              </appender>
              <root level="WARN"><appender-ref ref="OUT"/></root>
            </configuration>
            """;

    private static final List<String> EXPORTS = List.of(
            "java.base/jdk.internal.misc",
            "java.base/java.lang.ref",
            "java.management.rmi/com.sun.jmx.remote.internal.rmi",
            "java.rmi/sun.rmi.registry",
            "java.rmi/sun.rmi.server",
            "java.sql/java.sql",
            "jdk.unsupported/sun.misc");

    private static final List<String> OPENS = List.of(
            "java.base/java.io",
            "java.base/java.lang",
            "java.base/java.lang.module",
            "java.base/java.lang.reflect",
            "java.base/java.net",
            "java.base/java.nio",
            "java.base/java.util",
            "java.base/java.util.concurrent",
            "java.base/java.util.concurrent.atomic",
            "java.base/jdk.internal.loader",
            "java.base/jdk.internal.math",
            "java.base/jdk.internal.module",
            "java.base/jdk.internal.ref",
            "java.base/jdk.internal.reflect",
            "java.base/jdk.internal.util.jar",
            "java.base/sun.nio.ch",
            "jdk.management/com.sun.management.internal");
}
