package dev.vivarium.node.whole;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A container engine that a test may kill, with the agents' image. Needs root. */
final class PrivateEngine implements AutoCloseable {
    private static final Duration START_MAX = Duration.ofSeconds(60);
    private static final Duration STOP_MAX = Duration.ofSeconds(60);

    private final Path folder;
    private final URI address;
    private volatile Process daemon;

    private PrivateEngine(Path folder) {
        this.folder = folder;
        this.address = URI.create("unix://" + folder.resolve("docker.sock"));
    }

    static PrivateEngine start() throws IOException, InterruptedException {
        PrivateEngine engine = new PrivateEngine(Files.createTempDirectory(Path.of("/tmp"), "vivarium-engine-"));
        try {
            engine.comeBack();
            Commands.run("sh", "-c", "docker save vivarium/python | docker --host " + engine.address + " load");
            return engine;
        } catch (IOException | InterruptedException | RuntimeException failed) {
            engine.close();
            throw failed;
        }
    }

    /** Everything that it stores, including its log. */
    Path folder() {
        return folder;
    }

    /** Runs the docker command against this engine. */
    String docker(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker", "--host", address.toString()));
        command.addAll(List.of(arguments));
        return Commands.run(command.toArray(String[]::new));
    }

    URI address() {
        return address;
    }

    boolean isAlive() {
        return daemon.isAlive();
    }

    /** Starts it on its earlier data; returns when it answers. */
    void comeBack() throws IOException {
        // In a separate network namespace: an engine without a bridge deletes docker0, which may belong to another
        // engine.
        daemon = new ProcessBuilder(
                        "unshare",
                        "--net",
                        "dockerd",
                        "--host=" + address,
                        "--data-root=" + folder.resolve("data"),
                        "--exec-root=" + folder.resolve("exec"),
                        "--pidfile=" + folder.resolve("pid"),
                        "--debug",
                        "--bridge=none",
                        "--iptables=false",
                        "--ip6tables=false")
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
        await("the engine, see " + folder.resolve("log"))
                .atMost(START_MAX)
                .pollInterval(Duration.ofMillis(100))
                .failFast(() -> !daemon.isAlive())
                .ignoreExceptions()
                .until(() -> !Commands.run("docker", "--host", address.toString(), "version")
                        .isEmpty());
    }

    /**
     * SIGKILL: its containers live on without an engine. Its containerd dies with it, and must have been reaped before the
     * engine can come back: it takes a zombie for a live containerd and waits for it in vain.
     */
    void kill() {
        Optional<ProcessHandle> containerd = containerd();
        daemon.destroyForcibly();
        daemon.onExit().join();
        await("the end of the engine's containerd").atMost(START_MAX).until(() -> containerd
                .filter(process -> Files.exists(Path.of("/proc/" + process.pid())))
                .isEmpty());
    }

    private Optional<ProcessHandle> containerd() {
        return daemon.children()
                .filter(child -> child.info().command().orElse("").endsWith("containerd"))
                .findFirst();
    }

    /** Stops it as a service manager does: it ends its containers first. */
    void stop() throws InterruptedException {
        daemon.destroy();
        if (!daemon.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
            kill();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            end();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void end() throws IOException, InterruptedException {
        if (daemon != null) {
            stop();
        }
        // Processes that the engine left behind are found by its folder, which only they use.
        ProcessHandle.allProcesses().filter(this::isOurs).forEach(ProcessHandle::destroyForcibly);
        Commands.run(
                "sh",
                "-c",
                "for m in $(grep -o ' " + folder + "[^ ]*' /proc/mounts | sort -r); do umount -l $m; done; rm -rf "
                        + folder);
    }

    private boolean isOurs(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"))
                    .contains(folder.toString() + "/");
        } catch (IOException gone) {
            return false;
        }
    }
}
