package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.oci.StateFolder.Name;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's launcher, a process that lives as long as the node: it runs the runtimes, and kills their sandboxes when its
 * standard input ends. A dead launcher is restarted by the next request; the earlier one's sandboxes live on, since their
 * channels belong to the node. Thread-safe.
 */
final class Launcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);

    private final Command command;
    private final Duration startTimeout;
    /** Read without the lock, which is held while one starts. */
    private volatile Optional<Life> life = Optional.empty();

    private boolean closed;

    /** How it is started. */
    interface Command {
        /** Its program, which is written again where it is missing or changed, and its arguments. */
        List<String> words() throws IOException;
    }

    /** @param startTimeout how long its start may take */
    Launcher(Command command, Duration startTimeout) {
        this.command = command;
        this.startTimeout = startTimeout;
    }

    /** The outcome of a request to create a sandbox. */
    record Made(long pid) {}

    /** Starts it, blocking, unless it is running. */
    void start() {
        life();
    }

    /**
     * Creates a sandbox whose folder is ready. Fails with a {@link DriverException} with the runtime's message.
     *
     * @param runtime the number of the runtime, in the order of the command's
     * @param layer the layer above its image
     * @param image the image's files
     * @param urgency how much making it counts beside the work of agents
     */
    CompletableFuture<Made> make(Name name, int runtime, Path layer, Path image, Urgency urgency) {
        Life current = life();
        CompletableFuture<Made> made = new CompletableFuture<>();
        CompletableFuture<Integer> unused =
                current.ended.computeIfAbsent(name.toString(), any -> new CompletableFuture<>());
        current.making.put(name.toString(), made);
        current.send(urgency.request + " " + name + " " + runtime + " " + layer + " " + image);
        return made;
    }

    /** Who waits for a sandbox. */
    enum Urgency {
        /** An attempt. */
        AWAITED("make"),
        /** Nobody; {@link #resize} gives its guest the usual priority. */
        AHEAD("make-ahead");

        private final String request;

        Urgency(String request) {
            this.request = request;
        }
    }

    /**
     * Gives the writable places of a sandbox, and the processes that its guest starts from now on, other sizes. Fails with a
     * {@link DriverException}, after which any of them may have changed.
     */
    CompletableFuture<Void> resize(Name name, RuntimeConfig.Sizes sizes) {
        Life current = life();
        CompletableFuture<Void> resized =
                current.resizing.computeIfAbsent(name.toString(), any -> new CompletableFuture<>());
        current.send("resize " + name + " " + sizes.openFiles() + " " + sizes.diskBytes() + " " + sizes.inodes() + " "
                + sizes.sharedMemoryBytes());
        return resized;
    }

    /** Copies the files of a sandbox's own from its folder again. Fails with a {@link DriverException}. */
    CompletableFuture<Void> showFiles(Name name) {
        Life current = life();
        CompletableFuture<Void> shown =
                current.showing.computeIfAbsent(name.toString(), any -> new CompletableFuture<>());
        current.send("files " + name);
        return shown;
    }

    /** Kills all processes of a sandbox, also of one that is being created. */
    void kill(Name name) {
        life().send("kill " + name);
    }

    /** Kills and removes a sandbox except for its files; completes when its processes and control groups are gone. */
    CompletableFuture<Void> remove(Name name, int runtime) {
        Life current = life();
        CompletableFuture<Void> removed =
                current.removing.computeIfAbsent(name.toString(), any -> new CompletableFuture<>());
        current.send("remove " + name + " " + runtime);
        return removed;
    }

    /**
     * Completes with the exit code of the sandbox's first process, or 128 plus the number of the signal that ended it; never
     * if its launcher has died.
     */
    CompletableFuture<Integer> ended(Name name) {
        return life.map(one -> one.ended.get(name.toString())).orElseGet(CompletableFuture::new);
    }

    /** Whether the current launcher has created the sandbox, and so is the parent of its processes. */
    boolean hasMade(Name name) {
        return life.filter(one -> one.ended.containsKey(name.toString())).isPresent();
    }

    /**
     * Kills one that has not answered in time; the next request starts another. It answers each request within a limit, so
     * it hangs: its sandboxes live on, and those being created fail.
     */
    void killSilent() {
        life.ifPresent(silent -> {
            LOG.warn("The launcher of sandboxes does not answer, and is killed.");
            silent.process.destroyForcibly();
            silent.bury();
        });
    }

    private synchronized Life life() {
        if (closed) {
            throw new DriverException(Kind.ENGINE_UNAVAILABLE, "The node is shutting down.");
        }
        if (life.filter(Life::isAlive).isEmpty()) {
            life.ifPresent(Life::bury);
            Life begun = begin();
            life = Optional.of(begun);
            return begun;
        }
        return life.get();
    }

    private Life begin() {
        Life begun;
        try {
            begun = new Life(new ProcessBuilder(command.words())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start());
        } catch (IOException missing) {
            throw new DriverException(
                    Kind.ENGINE_UNAVAILABLE,
                    "The launcher of sandboxes cannot be started: " + missing.getMessage(),
                    missing);
        }
        Thread reader = new Thread(begun::read, "vivarium-launcher");
        reader.setDaemon(true);
        reader.start();
        try {
            begun.ready.get(startTimeout.toMillis(), TimeUnit.MILLISECONDS);
            return begun;
        } catch (ExecutionException broken) {
            begun.process.destroyForcibly();
            throw new DriverException(
                    Kind.ENGINE_UNAVAILABLE,
                    "The launcher of sandboxes does not work here: "
                            + String.valueOf(
                                    broken.getCause() == null
                                            ? broken
                                            : broken.getCause().getMessage()),
                    broken);
        } catch (TimeoutException late) {
            begun.process.destroyForcibly();
            throw new DriverException(
                    Kind.ENGINE_UNAVAILABLE,
                    "The launcher of sandboxes was not ready after " + startTimeout.toMillis() + " ms.",
                    late);
        } catch (InterruptedException interrupted) {
            begun.process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new DriverException(Kind.ENGINE_UNAVAILABLE, "The node is shutting down.", interrupted);
        }
    }

    /** Ends it with all its sandboxes, and waits for that. */
    @Override
    public void close() {
        Optional<Life> last;
        synchronized (this) {
            closed = true;
            last = life;
        }
        last.ifPresent(Life::end);
    }

    /** One launcher, from its start to its death. */
    private static final class Life {
        private static final long FAREWELL_SECONDS_MAX = 20;

        final Process process;
        final CompletableFuture<Void> ready = new CompletableFuture<>();
        final Map<String, CompletableFuture<Made>> making = new ConcurrentHashMap<>();
        final Map<String, CompletableFuture<Void>> resizing = new ConcurrentHashMap<>();
        final Map<String, CompletableFuture<Void>> showing = new ConcurrentHashMap<>();
        final Map<String, CompletableFuture<Void>> removing = new ConcurrentHashMap<>();
        final Map<String, CompletableFuture<Integer>> ended = new ConcurrentHashMap<>();
        private final OutputStream requests;
        /** Its answers have ended, which is known before the kernel has ended the process. */
        private volatile boolean buried;

        Life(Process process) {
            this.process = process;
            this.requests = process.getOutputStream();
        }

        boolean isAlive() {
            return !buried && process.isAlive();
        }

        void send(String line) {
            try {
                synchronized (requests) {
                    requests.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
                    requests.flush();
                }
            } catch (IOException dead) {
                bury();
            }
            if (!isAlive()) {
                // Its answers have ended, perhaps before this request was registered.
                bury();
            }
        }

        void read() {
            try (BufferedReader answers = process.inputReader(StandardCharsets.US_ASCII)) {
                for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                    on(line);
                }
            } catch (IOException broken) {
                LOG.debug("The launcher's answers cannot be read any more", broken);
            }
            bury();
        }

        private void on(String line) {
            String[] words = line.split(" ", 3);
            String name = words.length > 1 ? words[1] : "";
            String rest = words.length > 2 ? words[2] : "";
            switch (words[0]) {
                case "ready" -> ready.complete(null);
                case "broken" -> ready.completeExceptionally(
                        new IOException(line.substring("broken".length()).strip()));
                case "made" -> take(making, name).ifPresent(made -> made.complete(new Made(Long.parseLong(rest))));
                case "failed" -> take(making, name).ifPresent(made -> made.completeExceptionally(failure(rest)));
                case "resized" -> take(resizing, name).ifPresent(resized -> resized.complete(null));
                case "unfit" -> take(resizing, name)
                        .ifPresent(resized -> resized.completeExceptionally(
                                new DriverException(Kind.UNSUITED, "Its sizes cannot be set: " + rest.strip())));
                case "shown" -> take(showing, name).ifPresent(shown -> shown.complete(null));
                case "hidden" -> take(showing, name)
                        .ifPresent(shown -> shown.completeExceptionally(
                                new DriverException(Kind.UNSUITED, "Its files cannot be written: " + rest.strip())));
                case "ended" -> Optional.ofNullable(ended.get(name))
                        .ifPresent(end -> end.complete(Integer.valueOf(rest)));
                case "said" -> LOG.warn("Sandbox {} wrote to its standard error: {}", name, rest);
                case "removed" -> {
                    ended.remove(name);
                    take(removing, name).ifPresent(removed -> removed.complete(null));
                }
                case "kept" -> take(removing, name)
                        .ifPresent(removed -> removed.completeExceptionally(new DriverException(
                                Kind.ENGINE_UNAVAILABLE,
                                "The sandbox could not be removed; it is tried again. " + rest)));
                default -> LOG.warn("The launcher of sandboxes answered what is not understood: {}", line);
            }
        }

        private static <T> Optional<T> take(Map<String, T> waiting, String name) {
            return Optional.ofNullable(waiting.remove(name));
        }

        private static DriverException failure(String words) {
            return new DriverException(Kind.REFUSED, "The sandbox could not be started: " + words.strip());
        }

        /** Fails all requests that wait for its answers. */
        void bury() {
            buried = true;
            ready.completeExceptionally(new IOException("it ended before it was ready"));
            List.of(making, resizing, showing, removing)
                    .forEach(waiting -> waiting.forEach((name, stage) -> {
                        waiting.remove(name);
                        stage.completeExceptionally(new DriverException(
                                Kind.ENGINE_UNAVAILABLE,
                                "The launcher of sandboxes died meanwhile; another one is started."));
                    }));
        }

        void end() {
            try {
                requests.close();
            } catch (IOException dead) {
                LOG.debug("The launcher has ended before", dead);
            }
            try {
                if (!process.waitFor(FAREWELL_SECONDS_MAX, TimeUnit.SECONDS)) {
                    LOG.warn("The launcher of sandboxes does not end, and is killed.");
                    process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
            }
        }
    }
}
