package dev.vivarium.node.network;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A program that is asked in lines, one request at a time, as long as the node lives: starting a program for each question
 * costs some hundred times as much as the answer. One that has died, or answers too late, is replaced by the next request.
 * Thread-safe; calls block.
 */
final class Conversation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);
    /** For each line. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    /** Programs that are made for one question lose a little memory with each. */
    private static final int REQUESTS_MAX = 10_000;

    private final Command command;
    private final Map<String, String> environment;
    private Optional<Life> life = Optional.empty();
    private boolean closed;

    /** How it is started. */
    interface Command {
        /** Its program and arguments. */
        List<String> words() throws IOException;
    }

    /** @param environment what it is told beside the node's own environment */
    Conversation(Command command, Map<String, String> environment) {
        this.command = command;
        this.environment = Map.copyOf(environment);
    }

    /**
     * Sends a request and waits for its answer.
     *
     * @param request one line or more, without the last line's end
     * @param last tells the last line of the answer
     * @return the answer's lines, with the last
     * @throws IOException with a sentence, when the program is missing, has ended or does not answer; whether it carried the
     *     request out is unknown then
     */
    synchronized List<String> ask(String request, Predicate<String> last) throws IOException {
        Life current = current();
        try {
            return current.ask(request, last);
        } catch (IOException broken) {
            current.end();
            life = Optional.empty();
            throw broken;
        }
    }

    private Life current() throws IOException {
        if (closed) {
            throw new IOException("The node is shutting down.");
        }
        if (life.filter(one -> one.requests < REQUESTS_MAX).isEmpty()) {
            life.ifPresent(Life::end);
            life = Optional.of(new Life(command.words(), environment));
        }
        return life.get();
    }

    @Override
    public synchronized void close() {
        closed = true;
        life.ifPresent(Life::end);
        life = Optional.empty();
    }

    /** One program, from its start to its end. */
    private static final class Life {
        private final String name;
        private final Process process;
        /** Its lines; the last element is empty. */
        private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

        private int requests;

        Life(List<String> command, Map<String, String> environment) throws IOException {
            this.name = command.get(0);
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            this.process = builder.start();
            Thread reader = new Thread(this::read, "vivarium-network");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader answers = process.inputReader(StandardCharsets.UTF_8)) {
                for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                    lines.add(Optional.of(line));
                }
            } catch (IOException broken) {
                LOG.debug("{} cannot be heard any more", name, broken);
            }
            lines.add(Optional.empty());
        }

        List<String> ask(String request, Predicate<String> last) throws IOException {
            requests++;
            process.getOutputStream().write((request + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
            List<String> answer = new ArrayList<>();
            do {
                answer.add(next());
            } while (!last.test(answer.get(answer.size() - 1)));
            return answer;
        }

        private String next() throws IOException {
            Optional<String> line;
            try {
                line = lines.poll(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IOException(name + " was interrupted.", interrupted);
            }
            if (line == null) {
                throw new IOException(name + " did not answer within " + ANSWER_MAX.toSeconds() + " s.");
            }
            return line.orElseThrow(() -> new IOException(name + " has ended."));
        }

        void end() {
            process.destroyForcibly();
        }
    }
}
