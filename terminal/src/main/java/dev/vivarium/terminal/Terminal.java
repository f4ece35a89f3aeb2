package dev.vivarium.terminal;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The command line's output streams and their properties. The launcher, which can ask the kernel, passes on which streams
 * are terminals and how wide they are ({@code -Dvivarium.terminal=stdout,stderr}, {@code -Dvivarium.columns}).
 *
 * @param out standard output, unfiltered
 * @param err standard error, unfiltered
 * @param outKind the kind of standard output
 * @param errKind the kind of standard error
 * @param columns the width of the terminal
 * @param colours whether to use colours
 */
public record Terminal(
        OutputStream out, OutputStream err, Kind outKind, Kind errKind, int columns, Table.Colours colours) {
    private static final int COLUMNS_DEFAULT = 100;

    /** The kind of a stream. */
    public enum Kind {
        TERMINAL,
        PIPE
    }

    /** The streams of this process. */
    public static Terminal ofProcess() {
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

    /** Prints text unchanged to standard output. */
    public void print(String text) {
        write(out, text);
    }

    /** Prints a line to standard output. */
    public void say(String line) {
        print(line + "\n");
    }

    /** Prints a message to standard error. */
    public void note(String line) {
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

    /** The reader of the output has closed it. */
    public static final class OutputClosed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OutputClosed(IOException cause) {
            super(cause);
        }
    }
}
