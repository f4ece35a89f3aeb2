package dev.vivarium.node.sandbox;

import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ProcessId;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Output on its way from the guest to the store: truncated at the run's limit, numbered, and joined into chunks. All
 * attempts and processes of a run share its limit and one sequence of offsets, in order of arrival. Used by one Sandbox
 * actor; not thread-safe.
 */
final class OutputBuffer {
    /** Consecutive pieces of one process's stream are joined up to this size, to save rows in the store. */
    private static final int CHUNK_BYTES_MAX = 64 * 1024;

    private final int attempt;
    private final long limitBytes;
    private final List<OutputChunk> pending = new ArrayList<>();
    private long nextOffset;
    private long keptBytes;

    /** @param startOffset how much earlier attempts have printed */
    OutputBuffer(int attempt, long startOffset, long limitBytes) {
        this.attempt = attempt;
        this.nextOffset = startOffset;
        this.limitBytes = limitBytes;
    }

    /** Adds output; drops what exceeds the limit. */
    void add(ProcessId process, NodeFrame.Stream stream, Blob data, Instant at) {
        int room = (int) Math.min(data.length(), limitBytes - nextOffset);
        if (room <= 0) {
            return;
        }
        Blob kept = room == data.length() ? data : Blob.of(Arrays.copyOf(data.toByteArray(), room));
        OutputChunkView.Stream name =
                stream == NodeFrame.Stream.STDOUT ? OutputChunkView.Stream.STDOUT : OutputChunkView.Stream.STDERR;
        pending.add(new OutputChunk(attempt, process, name, nextOffset, at, kept));
        nextOffset += room;
        keptBytes += room;
    }

    boolean isEmpty() {
        return pending.isEmpty();
    }

    /** Removes and returns everything that waits, to be stored as one batch. */
    List<OutputChunk> drain() {
        List<OutputChunk> chunks = joined(pending);
        pending.clear();
        return chunks;
    }

    /** The offset after the last byte kept. */
    long end() {
        return nextOffset;
    }

    /** How much of this attempt is kept. */
    long keptBytes() {
        return keptBytes;
    }

    private static List<OutputChunk> joined(List<OutputChunk> pieces) {
        List<OutputChunk> chunks = new ArrayList<>();
        int from = 0;
        while (from < pieces.size()) {
            int to = from + 1;
            int bytes = pieces.get(from).data().length();
            while (to < pieces.size()
                    && pieces.get(to).process().equals(pieces.get(from).process())
                    && pieces.get(to).stream() == pieces.get(from).stream()
                    && bytes + pieces.get(to).data().length() <= CHUNK_BYTES_MAX) {
                bytes += pieces.get(to).data().length();
                to++;
            }
            chunks.add(join(pieces.subList(from, to)));
            from = to;
        }
        return chunks;
    }

    private static OutputChunk join(List<OutputChunk> pieces) {
        OutputChunk first = pieces.get(0);
        if (pieces.size() == 1) {
            return first;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        pieces.forEach(piece -> bytes.writeBytes(piece.data().toByteArray()));
        return new OutputChunk(
                first.attempt(),
                first.process(),
                first.stream(),
                first.offset(),
                first.at(),
                Blob.of(bytes.toByteArray()));
    }
}
