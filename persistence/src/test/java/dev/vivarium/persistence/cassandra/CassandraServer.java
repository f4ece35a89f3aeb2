package dev.vivarium.persistence.cassandra;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real Cassandra server in a process of its own, on loopback, for tests: one node, durable (every write is on disk
 * before it is acknowledged), with a small heap. It can be killed and started again on the same data and the same port.
 * It dies with the JVM that started it, however that ends: its standard input ends then.
 *
 * <p>The server runs on JDK 17 alone, whatever the tests run on.
 */
public final class CassandraServer implements AutoCloseable {
    private static final String ADDRESS = "127.0.0.1";
    private static final String DATACENTER = "datacenter1";
    private static final Duration START_MAX = Duration.ofSeconds(90);
    private static final long POLL_MILLIS = 50;
    private static final int LOG_TAIL_CHARACTERS = 4_000;

    private final Path directory;
    private final int port;
    private final List<String> command;
    private Process process;

    private CassandraServer(Path directory, int port, List<String> command, Process process) {
        this.directory = directory;
        this.port = port;
        this.command = command;
        this.process = process;
    }

    /** Starts a server with fresh data in a directory of its own, and returns when it takes connections. */
    public static CassandraServer start() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "vivarium-test-cassandra-");
        int port = freePort();
        Files.writeString(directory.resolve("cassandra.yaml"), settings(directory, port, freePort()));
        Files.writeString(directory.resolve("cassandra-rackdc.properties"), "dc=" + DATACENTER + "\nrack=rack1\n");
        Files.writeString(directory.resolve("logback.xml"), LOGBACK);
        List<String> command = command(directory);
        CassandraServer server = new CassandraServer(directory, port, command, launch(command, directory));
        server.awaitConnections();
        return server;
    }

    /** Where clients reach it; stays the same when it is started again. */
    public InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** What clients must call its datacenter. */
    public String datacenter() {
        return DATACENTER;
    }

    public long pid() {
        return process.pid();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Starts the server again on its data after a {@link #kill}, and returns when it takes connections. */
    public void startAgain() throws IOException, InterruptedException {
        if (process.isAlive()) {
            throw new IllegalStateException("The server runs.");
        }
        process = launch(command, directory);
        awaitConnections();
    }

    /** Kills the server and removes its data. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(START_MAX.toMillis(), TimeUnit.MILLISECONDS);
            delete(directory);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (IOException left) {
            System.err.println("Left behind: " + left.getMessage());
        }
    }

    private static Process launch(List<String> command, Path directory) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("server.log").toFile()));
        // What is set for the tests' own JVM is not meant for this one.
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"));
        return builder.start();
    }

    private void awaitConnections() throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (!accepts()) {
            if (!process.isAlive() || System.nanoTime() - start > START_MAX.toNanos()) {
                String log = Files.readString(directory.resolve("server.log"));
                close();
                throw new IOException("The Cassandra server does not start:\n"
                        + log.substring(Math.max(0, log.length() - LOG_TAIL_CHARACTERS)));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private boolean accepts() {
        try (Socket socket = new Socket()) {
            socket.connect(address(), (int) POLL_MILLIS * 10);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static List<String> command(Path directory) throws IOException {
        String serverPath = resource("cassandra.classpath");
        List<String> command = new ArrayList<>();
        command.add(java17().toString());
        command.addAll(List.of("-Xms64m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k"));
        command.add("-javaagent:"
                + Stream.of(serverPath.split(":", -1))
                        .filter(jar -> jar.contains("/jamm-"))
                        .findFirst()
                        .orElseThrow());
        command.add("-Djdk.attach.allowAttachSelf=true");
        for (String exported : EXPORTS) {
            command.addAll(List.of("--add-exports", exported + "=ALL-UNNAMED"));
        }
        for (String opened : OPENS) {
            command.addAll(List.of("--add-opens", opened + "=ALL-UNNAMED"));
        }
        command.add("-Dcassandra.config=file://" + directory.resolve("cassandra.yaml"));
        command.add("-Dcassandra-rackdc.properties=file://" + directory.resolve("cassandra-rackdc.properties"));
        command.add("-Dcassandra.storagedir=" + directory.resolve("data"));
        command.add("-Dlogback.configurationFile=" + directory.resolve("logback.xml"));
        command.addAll(List.of(
                "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                "-Dcassandra.ring_delay_ms=100",
                "-Dcassandra.superuser_setup_delay_ms=0",
                "-Dcassandra.reset_bootstrap_progress=false",
                "-Dcassandra-foreground=yes"));
        command.addAll(List.of("-cp", serverPath + ":" + ownPath(), CassandraProcess.class.getName()));
        return command;
    }

    private static String ownPath() {
        return Path.of(CassandraServer.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath())
                .toString();
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = CassandraServer.class.getResourceAsStream("/" + name)) {
            if (in == null) {
                throw new IOException(name + " is missing: build the persistence module with Maven once.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    /** This JVM's own, if it is a 17; else the one that VIVARIUM_TEST_JDK17 names, else one where Linux keeps them. */
    private static Path java17() throws IOException {
        if (Runtime.version().feature() == 17) {
            return Path.of(System.getProperty("java.home"), "bin", "java");
        }
        String named = System.getenv("VIVARIUM_TEST_JDK17");
        if (named != null) {
            return Path.of(named, "bin", "java");
        }
        Path homes = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(homes)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(homes, "*17*")) {
                for (Path home : found) {
                    if (Files.isExecutable(home.resolve("bin/java"))) {
                        return home.resolve("bin/java");
                    }
                }
            }
        }
        throw new IOException("Cassandra needs a JDK 17, and there is none in " + homes
                + ": install one, or set VIVARIUM_TEST_JDK17 to its directory.");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String settings(Path directory, int port, int storagePort) {
        return SETTINGS.replace("%DIRECTORY%", directory.toString())
                .replace("%ADDRESS%", ADDRESS)
                .replace("%PORT%", Integer.toString(port))
                .replace("%STORAGE_PORT%", Integer.toString(storagePort));
    }

    private static final String SETTINGS =
            """
            cluster_name: vivarium-test
            num_tokens: 1
            partitioner: org.apache.cassandra.dht.Murmur3Partitioner
            endpoint_snitch: GossipingPropertyFileSnitch
            seed_provider:
              - class_name: org.apache.cassandra.locator.SimpleSeedProvider
                parameters:
                  - seeds: "%ADDRESS%:%STORAGE_PORT%"
            listen_address: %ADDRESS%
            storage_port: %STORAGE_PORT%
            rpc_address: %ADDRESS%
            native_transport_port: %PORT%
            start_native_transport: true
            data_file_directories: ["%DIRECTORY%/data/sstables"]
            commitlog_directory: "%DIRECTORY%/data/commitlog"
            saved_caches_directory: "%DIRECTORY%/data/caches"
            hints_directory: "%DIRECTORY%/data/hints"
            cdc_raw_directory: "%DIRECTORY%/data/cdc"
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
