package dev.vivarium.node.cli;

import dev.vivarium.client.ApiJson;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.terminal.Terminal;
import dev.vivarium.terminal.TerminalFilter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;

/**
 * Prints a run's output: its stdout to stdout and its stderr to stderr, as raw bytes into files
 * and pipes, and made safe for terminals unless an option says otherwise.
 */
final class RunOutput implements OutputFollower.Sink {
    private final Terminal terminal;
    private final Form form;
    private final Map<Stream, TerminalFilter> filters = new EnumMap<>(Stream.class);
    private int attempt = 1;

    /** How a chunk is printed. */
    enum Form {
        /** Its bytes, filtered on a terminal. */
        BYTES,
        /** Its bytes, never filtered. */
        RAW_BYTES,
        /** The chunk as JSON, one per line. */
        JSON
    }

    RunOutput(Terminal terminal, Form form) {
        this.terminal = terminal;
        this.form = form;
        if (form == Form.BYTES && terminal.outKind() == Terminal.Kind.TERMINAL) {
            filters.put(Stream.STDOUT, new TerminalFilter());
        }
        if (form == Form.BYTES && terminal.errKind() == Terminal.Kind.TERMINAL) {
            filters.put(Stream.STDERR, new TerminalFilter());
        }
    }

    @Override
    public void accept(OutputChunkView chunk) throws IOException {
        if (form == Form.JSON) {
            String line = ApiJson.line(ApiJson.tree(chunk)) + "\n";
            write(terminal.out(), line.getBytes(StandardCharsets.UTF_8));
            return;
        }
        if (chunk.attempt() > attempt) {
            attempt = chunk.attempt();
            terminal.note("the run was interrupted; this is attempt " + attempt + ".");
        }
        byte[] bytes = chunk.data().toByteArray();
        TerminalFilter filter = filters.get(chunk.stream());
        write(stream(chunk.stream()), filter == null ? bytes : filter.filter(bytes));
    }

    /** Prints bytes held back by the filter and resets the terminal's colours. */
    void end() throws IOException {
        for (Map.Entry<Stream, TerminalFilter> entry : filters.entrySet()) {
            write(stream(entry.getKey()), entry.getValue().end());
        }
    }

    private OutputStream stream(Stream stream) {
        return stream == Stream.STDOUT ? terminal.out() : terminal.err();
    }

    private static void write(OutputStream out, byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }
}
