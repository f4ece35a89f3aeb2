package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A separate container engine that may be killed, with one image of the machine's. Needs root and {@code dockerd}. */
public final class PrivateEngine implements AutoCloseable {
    private static final Duration START_MAX = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 100;

    private final Path folder;
    private final URI address;
    /** Leaves no engine behind when the benchmark is terminated from outside. */
    private final ShutdownCleanup lastWill = new ShutdownCleanup("the engine", this::end);

    private Process daemon;

    /**
     * Starts one.
     *
     * @param image the image to copy from the machine's engine
     */
    public static PrivateEngine start(String image) throws IOException {
        PrivateEngine engine = new PrivateEngine(Files.createTempDirectory(Path.of("/tmp"), "vivarium-engine-"));
        try {
            engine.shell("docker save " + image + " | docker --host " + engine.address + " load");
            return engine;
        } catch (IOException | RuntimeException failed) {
            engine.close();
            throw failed;
        }
    }

    private PrivateEngine(Path folder) throws IOException {
        this.folder = folder;
        this.address = URI.create("unix://" + folder.resolve("docker.sock"));
        this.daemon = launch();
        lastWill.make();
        awaitAnswer();
    }

    /** Its address for DOCKER_HOST. */
    public URI address() {
        return address;
    }

    private Process launch() throws IOException {
        // In its own network namespace: an engine without a bridge removes docker0, which may be another engine's.
        return new ProcessBuilder(
                        "unshare",
                        "--net",
                        "dockerd",
                        "--host=" + address,
                        "--data-root=" + folder.resolve("data"),
                        "--exec-root=" + folder.resolve("exec"),
                        "--pidfile=" + folder.resolve("pid"),
                        "--bridge=none",
                        "--iptables=false",
                        "--ip6tables=false")
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    private void awaitAnswer() throws IOException {
        long latest = System.nanoTime() + START_MAX.toNanos();
        while (!answers()) {
            if (!daemon.isAlive() || System.nanoTime() - latest > 0) {
                throw new IOException("A container engine of our own does not start; see " + folder.resolve("log"));
            }
            Pauses.millis(POLL_MILLIS);
        }
    }

    private boolean answers() {
        try {
            new EngineApi(address).facts();
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /**
     * SIGKILL: its containers stay alive without an engine. Waits for the end of its containerd, too: a restarted
     * engine takes an unreaped one for alive.
     */
    public void kill() throws IOException {
        Optional<ProcessHandle> containerd = daemon.children()
                .filter(child -> child.info().command().orElse("").endsWith("containerd"))
                .findFirst();
        daemon.destroyForcibly().onExit().join();
        while (containerd.isPresent()
                && Files.exists(Path.of("/proc/" + containerd.get().pid()))) {
            Pauses.millis(POLL_MILLIS);
        }
    }

    /** Starts it again on its old state; returns when it answers. */
    public void comeBack() throws IOException {
        lastWill.requireAlive();
        daemon = launch();
        awaitAnswer();
    }

    @Override
    public void close() throws IOException {
        try {
            end();
        } finally {
            lastWill.drop();
        }
    }

    private void end() throws IOException {
        daemon.destroy();
        try {
            if (!daemon.waitFor(START_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
            }
        } catch (InterruptedException interrupted) {
            daemon.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        // Remaining processes of the engine are found by its folder, which nothing else uses.
        ProcessHandle.allProcesses().filter(this::isOurs).forEach(ProcessHandle::destroyForcibly);
        shell("for m in $(grep -o ' " + folder + "[^ ]*' /proc/mounts | sort -r); do umount -l $m; done; rm -rf "
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

    private void shell(String line) throws IOException {
        Process process = new ProcessBuilder(List.of("sh", "-c", line))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            if (process.waitFor() != 0) {
                throw new IOException("`" + line + "` failed.");
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
