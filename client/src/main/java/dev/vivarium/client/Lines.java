package dev.vivarium.client;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The complete lines of a stream. A last line without its newline was cut off and is dropped. */
final class Lines implements AutoCloseable {
    /** Far above any line that a node sends. */
    private static final int LINE_BYTES_MAX = 32 << 20;

    private final InputStream in;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    Lines(InputStream in) {
        this.in = new BufferedInputStream(in, 1 << 16);
    }

    /** The next line without its end; empty at the end of the stream. */
    Optional<String> next() throws IOException {
        line.reset();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return Optional.of(line.toString(StandardCharsets.UTF_8));
            }
            if (next != '\r') {
                line.write(next);
            }
            if (line.size() > LINE_BYTES_MAX) {
                throw new IOException("a line is longer than " + LINE_BYTES_MAX + " bytes");
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
