package dev.vivarium.trials.outside;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A node as users start one, {@code vivarium up} on a free port: in a separate process, so that it shares no heap and no
 * compiler with its observer. It ends with the program that started it, unless that is killed with SIGKILL.
 */
public final class NodeProcess implements Node {
    private static final Pattern READY = Pattern.compile("ready at (http://\\S+)");
    /** The prefix of messages of launcher and node to their user. */
    private static final String NOTE = "vivarium: ";
    /** The file of a data directory with the name of its installation. */
    private static final String INSTALLATION_FILE = "installation";

    private static final Duration STOP_MAX = Duration.ofSeconds(60);

    private final Child child;
    private final URI uri;
    private final String installation;

    /** What happens to a node's folder after its end. */
    public enum Afterwards {
        KEEP,
        DELETE
    }

    /**
     * How to start a node.
     *
     * @param program the {@code vivarium} program, with its first arguments
     * @param home the folder for state, with the token of this machine's operator
     * @param folder the folder for its log, {@code node.log}, which is overwritten, and its data, {@code data}
     * @param afterwards what happens to the folder; that of a node that did not start is kept
     * @param drain how long live runs get when it is closed
     * @param config configuration that overrides the defaults
     */
    public record Start(
            List<String> program,
            Path home,
            Path folder,
            Afterwards afterwards,
            Duration drain,
            Map<String, String> config) {
        public Start {
            program = List.copyOf(program);
            config = Map.copyOf(config);
        }

        private Path data() {
            return folder.resolve("data");
        }

        private Path log() {
            return folder.resolve("node.log");
        }

        private ProcessBuilder process() {
            ProcessBuilder process = new ProcessBuilder(command()).redirectError(log().toFile());
            process.environment().put("VIVARIUM_HOME", home.toString());
            return process;
        }

        private List<String> command() {
            List<String> command = new ArrayList<>(program);
            command.addAll(List.of("up", "--port", "0", "--data", data().toString()));
            command.addAll(List.of("--drain", drain.toMillis() + "ms"));
            config.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
            return command;
        }
    }

    /**
     * Starts a node and returns once it is ready.
     *
     * @throws IOException with a sentence for the user when it does not start: the node's own, if it printed one
     */
    public static NodeProcess start(Start start) throws IOException {
        Child child = new Child(start.process().start(), start);
        try {
            Optional<URI> uri = child.readUri();
            if (uri.isEmpty()) {
                throw new IOException(whyNot(start.log()));
            }
            return new NodeProcess(
                    child,
                    uri.get(),
                    Files.readString(start.data().resolve(INSTALLATION_FILE)).strip());
        } catch (IOException failed) {
            child.removeShutdownHook();
            child.end();
            throw failed;
        }
    }

    private NodeProcess(Child child, URI uri, String installation) {
        this.child = child;
        this.uri = uri;
        this.installation = installation;
    }

    /** Its last message to its user. */
    private static String whyNot(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.startsWith(NOTE))
                    .reduce((earlier, later) -> later)
                    .map(line -> line.substring(NOTE.length()))
                    .orElse("The node did not start; what it said is in " + log + ".");
        }
    }

    @Override
    public URI uri() {
        return uri;
    }

    @Override
    public String installation() {
        return installation;
    }

    /** The node's process: the launcher execs it. */
    public long pid() {
        return child.process.pid();
    }

    @Override
    public void close() throws IOException {
        if (!child.removeShutdownHook()) {
            return;
        }
        child.end();
        child.tidyUp();
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while the node stopped");
        }
    }

    /** The process, from its start on, which must not outlive this program. */
    private static final class Child {
        private final Process process;
        private final Start start;
        private final Thread shutdownHook = new Thread(this::takeAway, "take the node away");

        Child(Process process, Start start) {
            this.process = process;
            this.start = start;
            Runtime.getRuntime().addShutdownHook(shutdownHook);
        }

        private void takeAway() {
            end();
            try {
                tidyUp();
            } catch (IOException left) {
                System.err.println(NOTE + start.folder() + " is left: " + left.getMessage());
            }
        }

        @SuppressWarnings(
                "resource") // Closing the reader would close the node's standard output, which it may write to.
        Optional<URI> readUri() throws IOException {
            BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher ready = READY.matcher(line);
                if (ready.find()) {
                    return Optional.of(URI.create(ready.group(1)));
                }
            }
            return Optional.empty();
        }

        /** False if this program is exiting, and the shutdown hook is already running. */
        boolean removeShutdownHook() {
            try {
                Runtime.getRuntime().removeShutdownHook(shutdownHook);
                return true;
            } catch (IllegalStateException ending) {
                return false;
            }
        }

        void end() {
            process.destroy();
            try {
                if (!process.waitFor(STOP_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }

        void tidyUp() throws IOException {
            if (start.afterwards() == Afterwards.KEEP || !Files.exists(start.folder())) {
                return;
            }
            try (Stream<Path> tree = Files.walk(start.folder())) {
                for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }
}
