package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.TestCertificate;
import dev.vivarium.persistence.embedded.PostgresPrograms;
import dev.vivarium.persistence.embedded.TestPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A PostgreSQL at 127.0.0.1 that speaks TLS, with a certificate for that address; for the tests of a class. */
final class TlsPostgres implements BeforeAllCallback, AfterAllCallback {
    /** A server refuses to run as root. */
    private static final List<String> NOBODY =
            List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=KILL");

    private Path folder;
    private int port;
    private Process server;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        folder = Files.createTempDirectory(Path.of("/tmp"), "vivarium-tls-postgres-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path programs = PostgresPrograms.linkInto(folder).resolve("bin");
        TestCertificate.make(folder, "server");
        TestCertificate.make(folder, "foreign");
        Path home = Files.createDirectory(folder.resolve("home"));
        Files.writeString(home.resolve("password"), "secret");
        Files.copy(folder.resolve("server.crt"), home.resolve("server.crt"));
        Files.move(folder.resolve("server.key"), home.resolve("server.key"));
        run("chown", "-R", "65534:65534", home.toString());
        run("chmod", "-R", "go=", home.toString());
        asNobody(
                programs.resolve("initdb"),
                "--pgdata=" + home.resolve("data"),
                "--username=vivarium",
                "--pwfile=" + home.resolve("password"),
                "--auth=scram-sha-256",
                "--no-sync");
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        server = start(nobody(
                programs.resolve("postgres"),
                "-D",
                home.resolve("data").toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "ssl=on",
                "-c",
                "ssl_cert_file=" + home.resolve("server.crt"),
                "-c",
                "ssl_key_file=" + home.resolve("server.key")));
        await().atMost(Duration.ofSeconds(30)).until(this::answers);
    }

    private boolean answers() {
        assertThat(server.isAlive()).as(this::log).isTrue();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        if (server != null) {
            server.destroy();
            assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
        if (folder != null) {
            TestPostgres.delete(folder);
        }
    }

    int port() {
        return port;
    }

    /** The authority of its certificate. */
    String authority() {
        return folder.resolve("server.crt").toString();
    }

    String foreignAuthority() {
        return folder.resolve("foreign.crt").toString();
    }

    private static List<String> nobody(Path program, String... arguments) {
        List<String> command = new ArrayList<>(NOBODY);
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private void asNobody(Path program, String... arguments) throws IOException, InterruptedException {
        run(nobody(program, arguments).toArray(String[]::new));
    }

    private void run(String... command) throws IOException, InterruptedException {
        assertThat(start(Stream.of(command).toList()).waitFor()).as(this::log).isZero();
    }

    private Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    private String log() {
        try {
            return Files.readString(folder.resolve("log"));
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }
}
