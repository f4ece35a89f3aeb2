package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.ExportPiece;
import dev.vivarium.protocol.audit.ExportText;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Passes an export to its check. Pieces of whole lines are read and hashed by several threads, and go to the check in
 * their order, on the caller's thread. A piece is taken from the stream only when there is room for it, so memory does
 * not grow with the export.
 */
public final class ExportReader implements AutoCloseable {
    private static final int PIECE_BYTES = 256 << 10;
    /** Far above any line that a node writes. */
    private static final int LINE_BYTES_MAX = 32 << 20;

    private final ExportCheck check;
    private final ExecutorService threads;
    private final Deque<Desk> free = new ArrayDeque<>();
    private final Deque<Reading> inProgress = new ArrayDeque<>();

    /**
     * A reader for one export.
     *
     * @param check what the lines go to
     * @param threads how many threads read and hash
     */
    public ExportReader(ExportCheck check, int threads) {
        this.check = check;
        this.threads = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "export");
            thread.setDaemon(true);
            return thread;
        });
        // While one is filled, each thread has one, and another one to go on with.
        for (int desk = 0; desk < 2 * threads + 1; desk++) {
            free.add(new Desk());
        }
    }

    /** Where one piece is read, by one thread at a time. */
    private static final class Desk {
        private final ExportText text = new ExportText(ExportReader::line);
        private byte[] bytes = new byte[PIECE_BYTES];
        private int filled;

        /** Fills it; false when the stream has ended. */
        boolean fill(InputStream in) throws IOException {
            filled += in.readNBytes(bytes, filled, bytes.length - filled);
            return filled == bytes.length;
        }

        /** The length of its whole lines. */
        int lines() {
            int end = filled;
            while (end > 0 && bytes[end - 1] != '\n') {
                end--;
            }
            return end;
        }

        /** Moves what comes after its whole lines. */
        void moveRest(int lines, Desk next) {
            next.bytes = next.bytes.length < bytes.length ? new byte[bytes.length] : next.bytes;
            next.filled = filled - lines;
            System.arraycopy(bytes, lines, next.bytes, 0, next.filled);
            filled = lines;
        }

        List<ExportPiece> read() {
            return text.read(bytes, filled);
        }

        void clear() {
            filled = 0;
            if (bytes.length > PIECE_BYTES) {
                bytes = new byte[PIECE_BYTES];
            }
        }
    }

    /** A piece that is being read. */
    private record Reading(Desk desk, Future<List<ExportPiece>> pieces) {}

    /** Reads up to the end of the stream. */
    public void read(InputStream in) throws IOException {
        Desk desk = free();
        while (desk.fill(in)) {
            int lines = desk.lines();
            if (lines == 0 && desk.bytes.length < LINE_BYTES_MAX) {
                desk.bytes = Arrays.copyOf(desk.bytes, 2 * desk.bytes.length);
                continue;
            }
            Desk next = free();
            if (lines == 0) {
                // No line of an export: its beginning alone is none either.
                skipLine(in);
            } else {
                desk.moveRest(lines, next);
            }
            begin(desk);
            desk = next;
        }
        begin(desk);
        while (!inProgress.isEmpty()) {
            pass();
        }
    }

    private static void skipLine(InputStream in) throws IOException {
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            // It is only as long as it is.
        }
    }

    private void begin(Desk desk) {
        inProgress.add(new Reading(desk, threads.submit(desk::read)));
    }

    private Desk free() throws IOException {
        if (free.isEmpty()) {
            pass();
        }
        return free.remove();
    }

    /** Waits for the oldest piece, and passes it to the check. */
    private void pass() throws IOException {
        Reading oldest = inProgress.remove();
        try {
            oldest.pieces().get().forEach(check::accept);
        } catch (ExecutionException failed) {
            throw new IllegalStateException("A piece of an export cannot be read.", failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        oldest.desk().clear();
        free.add(oldest.desk());
    }

    /** A line of an export; empty for one that is none. */
    public static Optional<ExportLine> line(String text) {
        try {
            return Optional.of(ApiJson.read(text, ExportLine.class));
        } catch (JsonProcessingException | NullPointerException | IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
