package dev.vivarium.node.cli;

import dev.vivarium.node.cli.text.Table;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the command line prints to, and what is known about it. The launcher, which can ask the kernel, says which
 * streams are terminals and how wide they are ({@code -Dvivarium.terminal=stdout,stderr}, {@code -Dvivarium.columns}).
 *
 * @param out standard output, bytes as they come
 * @param err standard error, bytes as they come
 * @param outKind what is behind standard output
 * @param errKind what is behind standard error
 * @param columns the width of the terminal
 * @param colours whether to draw in colours
 */
record Terminal(OutputStream out, OutputStream err, Kind outKind, Kind errKind, int columns, Table.Colours colours) {
    private static final int COLUMNS_DEFAULT = 100;

    /** What is behind a stream. */
    enum Kind {
        TERMINAL,
        PIPE
    }

    /** This process's own streams. */
    static Terminal ofProcess() {
        Set<String> terminals =
                Set.copyOf(List.of(System.getProperty("vivarium.terminal", "").split(",", -1)));
        return new Terminal(
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                terminals.contains("stdout") ? Kind.TERMINAL : Kind.PIPE,
                terminals.contains("stderr") ? Kind.TERMINAL : Kind.PIPE,
                Integer.getInteger("vivarium.columns", COLUMNS_DEFAULT),
                colours(terminals, System.getenv()));
    }

    private static Table.Colours colours(Set<String> terminals, Map<String, String> environment) {
        boolean unwanted = !environment.getOrDefault("NO_COLOR", "").isEmpty()
                || environment.getOrDefault("TERM", "").equals("dumb");
        return terminals.contains("stdout") && !unwanted ? Table.Colours.ON : Table.Colours.OFF;
    }

    /** Prints text as it is to standard output. */
    void print(String text) {
        write(out, text);
    }

    /** Prints a line to standard output. */
    void say(String line) {
        print(line + "\n");
    }

    /** Prints a line about what is going on to standard error. */
    void note(String line) {
        write(err, "vivarium: " + line + "\n");
    }

    private static void write(OutputStream stream, String text) {
        try {
            stream.write(text.getBytes(StandardCharsets.UTF_8));
            stream.flush();
        } catch (IOException closed) {
            throw new OutputClosed(closed);
        }
    }

    /** Nobody reads any more what is printed. */
    static final class OutputClosed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OutputClosed(IOException cause) {
            super(cause);
        }
    }
}
