package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.TestCertificate;
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
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real Cassandra server in a separate process, on loopback, for tests: one node, durable (every write is on disk before
 * it is acknowledged), with a small heap. It can be killed and started again on the same data and the same port. It exits
 * when its standard input ends, and therefore with the JVM that started it, however that ends.
 *
 * <p>The server needs JDK 17, whatever the tests run on.
 */
public final class CassandraServer implements AutoCloseable {
    private static final String WITHOUT_FLUSH_OF_THE_SCHEMA = "-Dcassandra.unsafesystem=true";
    private static final Duration START_MAX = Duration.ofSeconds(90);
    private static final long POLL_MILLIS = 50;
    private static final int LOG_TAIL_CHARACTERS = 4_000;

    private static final String CERTIFICATE = "server";
    private static final String LOOPBACK = "127.0.0.1";
    private static final SecureRandom CHANCE = new SecureRandom();

    private final Path directory;
    private final InetSocketAddress address;
    private final List<String> command;
    private Process process;

    private CassandraServer(Path directory, InetSocketAddress address, List<String> command, Process process) {
        this.directory = directory;
        this.address = address;
        this.command = command;
        this.process = process;
    }

    /** Starts a server with fresh data in a new directory, and returns when it accepts connections. */
    public static CassandraServer start() throws IOException, InterruptedException {
        return start(LOOPBACK, LOOPBACK, freePort(), freePort(), List.of());
    }

    /**
     * A server that makes tables in a fraction of the time, and has lost them when it was killed. It speaks TLS with clients that
     * begin to.
     */
    static CassandraServer startToLast() throws IOException, InterruptedException {
        return start(LOOPBACK, LOOPBACK, freePort(), freePort(), List.of(WITHOUT_FLUSH_OF_THE_SCHEMA));
    }

    /** The authority of the server's certificate, which is for 127.0.0.1. */
    Path authority() {
        return directory.resolve(CERTIFICATE + ".crt");
    }

    private static void certify(Path directory) throws IOException, InterruptedException {
        try {
            TestCertificate own = TestCertificate.make(directory, CERTIFICATE);
            Files.writeString(
                    directory.resolve("cassandra.yaml"),
                    """
                    client_encryption_options:
                      enabled: true
                      optional: true
                      keystore: %s
                      keystore_password: %s
                      store_type: PKCS12
                    """
                            .formatted(own.keys(), TestCertificate.PASSWORD),
                    StandardOpenOption.APPEND);
        } catch (GeneralSecurityException unlikely) {
            throw new IOException(unlikely);
        }
    }

    /** Starts servers that form one cluster, on addresses of a separate loopback network. */
    public static List<CassandraServer> startReplicas(int count) throws IOException, InterruptedException {
        String network = "127." + (1 + CHANCE.nextInt(254)) + "." + CHANCE.nextInt(256) + ".";
        int port = freePort();
        int internalPort = freePort();
        List<CassandraServer> servers = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            servers.add(start(network + number, network + 1, port, internalPort, List.of()));
        }
        return servers;
    }

    /** @param seed the address of the seed node */
    private static CassandraServer start(String host, String seed, int port, int internalPort, List<String> options)
            throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "vivarium-test-cassandra-");
        LocalCassandra.configure(directory, "vivarium-test", port, internalPort);
        if (!host.equals(LOOPBACK)) {
            join(directory.resolve("cassandra.yaml"), host, seed);
        }
        if (!options.isEmpty()) {
            certify(directory);
        }
        List<String> command = command(directory, options);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
        CassandraServer server = new CassandraServer(directory, address, command, launch(command, directory));
        server.awaitConnections();
        return server;
    }

    /** Changes the settings of a standalone server to those of a cluster member without data to stream. */
    private static void join(Path settings, String host, String seed) throws IOException {
        Files.writeString(
                settings,
                Files.readString(settings)
                                .replace("\"" + LOOPBACK + ":", "\"" + seed + ":")
                                .replace(": " + LOOPBACK, ": " + host)
                        + "auto_bootstrap: false\n");
    }

    /** The address for clients; stays the same when it is started again. */
    public InetSocketAddress address() {
        return address;
    }

    /** The name of its datacenter, for clients. */
    public String datacenter() {
        return LocalCassandra.DATACENTER;
    }

    public long pid() {
        return process.pid();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Starts the server again on its data after a {@link #kill}, and returns when it accepts connections. */
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
        // Options of the tests' JVM must not apply to this one.
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

    private static List<String> command(Path directory, List<String> options) throws IOException {
        String serverPath = resource("cassandra.classpath");
        List<Path> jars = Stream.of(serverPath.split(":", -1)).map(Path::of).toList();
        List<String> command = new ArrayList<>();
        command.add(java17().toString());
        command.addAll(LocalCassandra.options(directory, jars));
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Dcassandra.reset_bootstrap_progress=false"));
        command.addAll(options);
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

    /** This JVM's JDK if it is a 17, otherwise VIVARIUM_TEST_JDK17, otherwise one in the usual places. */
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
}
