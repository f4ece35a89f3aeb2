package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one server running: starts it, and restarts it on the same data and port when it dies, immediately at first and
 * then with a growing backoff, without limit (a full disk may be cleared after hours).
 *
 * <p>The server must be started from a thread that lives as long as the server may: the kernel sends the death signal
 * when the <em>thread</em> that started a process ends, not when its process does. If started from a pool, the server
 * would be killed when the pool retires a worker. Conversely a JVM that is killed with -9 loses this thread too, so no
 * server survives its node.
 *
 * <p>The thread is a daemon, so that a node that ends without closing its store does not hang; the server then crashes,
 * which loses nothing.
 */
final class ServerKeeper implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServerKeeper.class);

    /**
     * SIGQUIT, PostgreSQL's immediate shutdown: its processes are gone within milliseconds and the next start replays
     * the log, as after any crash. SIGINT would write a checkpoint first, for as long as the disk takes, while the next
     * node waits; and after a crash there should be only one recovery path.
     */
    static final String DEATH_SIGNAL = "QUIT";

    private static final Duration START_MAX = Duration.ofMinutes(2);
    private static final Duration STOP_MAX = Duration.ofSeconds(10);
    private static final Duration KILL_MAX = Duration.ofSeconds(6);
    private static final Duration PAUSE_MIN = Duration.ofMillis(50);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(5);
    private static final Duration HEALTHY = Duration.ofSeconds(30);
    private static final long POLL_MILLIS = 5;
    private static final int LOG_TAIL_BYTES = 2000;

    private final List<String> command;
    private final Path data;
    private final Path logFile;
    private final Clock clock;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    private volatile @Nullable Process server;

    private ServerKeeper(List<String> command, Path data, Path logFile, Clock clock) {
        this.command = command;
        this.data = data;
        this.logFile = logFile;
        this.clock = clock;
        this.thread = new Thread(this::keep, "embedded-postgres-keeper");
        this.thread.setDaemon(true);
    }

    /** Starts a server and returns when it accepts connections. */
    static ServerKeeper start(List<String> command, Path data, Path logFile, Clock clock) {
        ServerKeeper keeper = new ServerKeeper(command, data, logFile, clock);
        keeper.thread.start();
        try {
            keeper.ready.join();
            return keeper;
        } catch (CompletionException failed) {
            keeper.close();
            Throwable cause = failed.getCause() == null ? failed : failed.getCause();
            throw new StoreUnavailable("The embedded PostgreSQL cannot start: " + cause.getMessage(), cause);
        }
    }

    ProcessHandle process() {
        Process current = server;
        if (current == null) {
            throw new IllegalStateException("The server has not been started.");
        }
        return current.toHandle();
    }

    private void keep() {
        Duration pause = PAUSE_MIN;
        try {
            while (!isClosing()) {
                Instant started = clock.instant();
                boolean first = !ready.isDone();
                try {
                    serve();
                } catch (IOException | RuntimeException failed) {
                    // Catches everything: a keeper that ended would leave the node without a store for ever.
                    if (first) {
                        ready.completeExceptionally(failed);
                        return;
                    }
                    log.error("The embedded PostgreSQL does not start; retrying in {} ms", pause.toMillis(), failed);
                }
                boolean wasHealthy = started.plus(HEALTHY).isBefore(clock.instant());
                pause = wasHealthy ? PAUSE_MIN : pause;
                if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
                pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } finally {
            ready.completeExceptionally(new IllegalStateException("it was closed during its start."));
        }
    }

    /** One run of the server, from start to exit. */
    private void serve() throws IOException, InterruptedException {
        Leftovers.clear(data, clock);
        Process current = launch();
        if (current == null) {
            return;
        }
        awaitReady(current);
        ready.complete(null);
        int exit = current.waitFor();
        if (!isClosing()) {
            log.warn("The embedded PostgreSQL ended with {}; restarting it", exit);
        }
    }

    /** Starts the process unless this keeper was closed: no process may be left behind by a close. */
    private synchronized @Nullable Process launch() throws IOException {
        if (isClosing()) {
            return null;
        }
        Process current = new ProcessBuilder(command)
                .directory(new File("/"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()))
                .start();
        server = current;
        return current;
    }

    /** The server writes its state into a file, which is cheaper to poll than a connection. */
    private void awaitReady(Process current) throws IOException, InterruptedException {
        Path state = data.resolve("postmaster.pid");
        Instant startMax = clock.instant().plus(START_MAX);
        while (true) {
            if (!current.isAlive()) {
                throw new IOException("it ended with " + current.exitValue() + ". Its last words: " + lastWords());
            }
            if (isReady(state)) {
                return;
            }
            if (clock.instant().isAfter(startMax)) {
                current.destroyForcibly();
                throw new IOException("it was not ready within " + START_MAX + ". Its last words: " + lastWords());
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private static boolean isReady(Path state) {
        try {
            List<String> lines = Files.readAllLines(state, StandardCharsets.ISO_8859_1);
            return lines.size() >= 8 && lines.get(7).strip().equals("ready");
        } catch (IOException notYet) {
            return false;
        }
    }

    private String lastWords() throws IOException {
        byte[] all = Files.readAllBytes(logFile);
        int from = Math.max(0, all.length - LOG_TAIL_BYTES);
        return new String(all, from, all.length - from, StandardCharsets.UTF_8).strip();
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    @Override
    public void close() {
        synchronized (this) {
            closing.countDown();
        }
        Process current = server;
        try {
            if (current != null && current.isAlive()) {
                stop(current);
            }
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (IOException failed) {
            log.warn("The embedded PostgreSQL could not be stopped cleanly; the next start recovers", failed);
        }
    }

    /** Fast shutdown, which ends sessions and writes a checkpoint; then immediate shutdown; then SIGKILL. */
    private static void stop(Process server) throws IOException, InterruptedException {
        signal("INT", server);
        if (server.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
            return;
        }
        signal(DEATH_SIGNAL, server);
        if (!server.waitFor(KILL_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
            server.destroyForcibly().waitFor();
        }
    }

    /** Java can send SIGTERM and SIGKILL only; kill(1) can send the others. */
    private static void signal(String name, Process server) throws IOException {
        Commands.run("sh", "-c", "kill -s " + name + " " + server.pid());
    }
}
