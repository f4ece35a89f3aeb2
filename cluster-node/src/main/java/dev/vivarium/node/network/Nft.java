package dev.vivarium.node.network;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The program nft with certain options. It is kept, and asked line by line; where it does not take lines, or fails, one is
 * started for each command. Thread-safe; calls block.
 */
final class Nft implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Nft.class);
    private static final String PROGRAM = "nft";
    private static final String ERROR = "Error: ";
    /** It looks at each character of a line by itself. */
    private static final int LINE_MAX = 4096;

    private final List<String> options;
    private final Conversation kept;
    private volatile boolean keeps;
    private long asked;

    /** @param options decide what its listings look like */
    Nft(String... options) {
        this.options = List.of(options);
        List<String> command = Stream.of(Stream.of(PROGRAM), this.options.stream(), Stream.of("-i"))
                .flatMap(each -> each)
                .toList();
        // It would write a history of commands into the home folder.
        this.kept = new Conversation(() -> command, Map.of("HOME", "/dev/null"));
    }

    /** Finds out whether it takes lines here. */
    void open() {
        try {
            keeps = answer("list tables").stream().allMatch(line -> line.startsWith("{") || line.startsWith("table "));
        } catch (IOException unsuited) {
            LOG.debug("nft takes no lines", unsuited);
        }
        if (!keeps) {
            kept.close();
            LOG.info("The program nft takes no lines here, so one is started for each command: runs with a network take"
                    + " more processor time.");
        }
    }

    /**
     * Its listing, without empty lines.
     *
     * @param query such as {@code list set inet filter blocked}
     * @throws IOException with its message, when there is none
     */
    List<String> list(String query) throws IOException {
        if (keeps) {
            try {
                return require(answer(query));
            } catch (Unanswered died) {
                LOG.debug("nft is started for one query", died);
            }
        }
        List<String> command = new ArrayList<>(List.of(PROGRAM));
        command.addAll(options);
        command.addAll(Arrays.asList(query.split(" ", -1)));
        return KernelCommand.run("", command.toArray(String[]::new))
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
    }

    /**
     * Carries out commands that print nothing, as one transaction.
     *
     * @throws IOException with its message, when the kernel refuses one of them: then none is in force
     */
    void change(List<String> commands) throws IOException {
        String line = String.join("; ", commands);
        if (keeps && line.length() <= LINE_MAX) {
            try {
                require(answer(line));
                return;
            } catch (Unanswered died) {
                LOG.debug("nft is started for one change", died);
            }
        }
        KernelCommand.run(commands.stream().map(one -> one + "\n").collect(Collectors.joining()), PROGRAM, "-f", "-");
    }

    private static List<String> require(List<String> answer) throws IOException {
        if (answer.stream().anyMatch(line -> line.startsWith(ERROR))) {
            throw new IOException(PROGRAM + ": " + String.join("\n", answer));
        }
        return answer;
    }

    /** What it prints for a line, errors included. The end of an answer is its complaint about a word that it cannot know. */
    private synchronized List<String> answer(String line) throws Unanswered {
        String end = "end_" + asked++;
        List<String> said;
        try {
            said = new ArrayList<>(kept.ask(line + "\n" + end, end::equals));
        } catch (IOException died) {
            throw new Unanswered(died);
        }
        said.remove(said.size() - 1);
        // Empty lines, and what points at words, also at the last end.
        said.removeIf(each -> each.strip().chars().allMatch(character -> character == '^'));
        // The complaint begins before it names the word.
        if (said.isEmpty() || !said.remove(said.size() - 1).startsWith(ERROR)) {
            throw new Unanswered(new IOException("nft answered what is not understood."));
        }
        return said;
    }

    /** The kept program did not answer. */
    private static final class Unanswered extends IOException {
        private static final long serialVersionUID = 1L;

        Unanswered(IOException cause) {
            super(cause);
        }
    }

    @Override
    public void close() {
        keeps = false;
        kept.close();
    }
}
