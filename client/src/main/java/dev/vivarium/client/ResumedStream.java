package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;

/** Reads a stream to its end across lost connections, resuming each time at its position. */
final class ResumedStream {
    private ResumedStream() {}

    /**
     * The stream to read.
     *
     * @param <E> the exception with which the consumer rejects lines
     */
    interface Source<E extends Exception> {
        /** Whether the next read is certain to reach the end. */
        boolean isComplete() throws ApiException, InterruptedIOException;

        /** Whether what was read has the end of the stream in it. */
        default boolean hasEnded() {
            return false;
        }

        /** Opens the stream at {@link #position}. */
        InputStream open() throws IOException, ApiException;

        /** Consumes the lines up to their end. */
        void copy(Lines lines) throws IOException, E;

        /** The position to resume from; advances with each consumed part. */
        long position();
    }

    static <E extends Exception> void read(ApiClient client, Source<E> source)
            throws ApiException, E, InterruptedIOException {
        RetryPolicy.Tries tries = client.tries();
        while (true) {
            // Checked before the read: only a read that starts after the run's end is certain to be complete.
            boolean complete = source.isComplete();
            long before = source.position();
            try (Lines lines = new Lines(source.open())) {
                source.copy(lines);
                if (complete || source.hasEnded()) {
                    return;
                }
                tries.succeeded();
                tries.pauseBeforeReopening();
            } catch (JsonProcessingException malformed) {
                throw client.garbled(malformed);
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException lost) {
                if (source.position() > before) {
                    tries.succeeded();
                }
                if (!client.isWorthRetrying(lost) || !tries.waitToRetry()) {
                    throw client.unreachable(lost);
                }
            }
        }
    }
}
