package dev.vivarium.node.network;

import dev.vivarium.node.program.NodeProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The node's program vivarium-link; its PROTOCOL.md has the requests and answers. Thread-safe; calls block. */
final class LinkProgram implements AutoCloseable {
    private static final String READY = "ready";
    private static final String DONE = "done";

    private final Conversation program;

    /** @param folder where the program's file is put; it belongs to root alone */
    LinkProgram(Path folder) {
        this.program =
                new Conversation(() -> List.of(NodeProgram.LINK.in(folder).toString()), Map.of());
    }

    /**
     * Has it carry out a request.
     *
     * @throws IOException with a sentence, when it cannot
     */
    void run(String... request) throws IOException {
        String line = String.join(" ", request);
        // It greets once.
        List<String> answer = program.ask(line, said -> !said.equals(READY));
        String last = answer.get(answer.size() - 1);
        if (!last.equals(DONE)) {
            throw new IOException("vivarium-link " + line + ": " + last + ".");
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
