package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;

/** Reads a stream of a run to its end across lost connections, each time from where it has come to. */
final class ResumedStream {
    private ResumedStream() {}

    /**
     * What is read.
     *
     * @param <E> what the reader of its lines may refuse them with
     */
    interface Source<E extends Exception> {
        /** Whether the next read is sure to be all of it. */
        boolean isComplete() throws ApiException, InterruptedIOException;

        /** Opens the stream at {@link #position}. */
        InputStream open() throws IOException, ApiException;

        /** Takes in the lines up to their end. */
        void copy(Lines lines) throws IOException, E;

        /** How far it has come; grows with each part that was taken in. */
        long position();
    }

    static <E extends Exception> void read(ApiClient client, Source<E> source)
            throws ApiException, E, InterruptedIOException {
        Patience.Tries tries = client.tries();
        while (true) {
            // Looked up before the read: only what is read after a run's end is sure to be all of it.
            boolean complete = source.isComplete();
            long before = source.position();
            try (Lines lines = new Lines(source.open())) {
                source.copy(lines);
                if (complete) {
                    return;
                }
                tries.succeeded();
                tries.breathe();
            } catch (JsonProcessingException malformed) {
                throw client.garbled(malformed);
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException lost) {
                if (source.position() > before) {
                    tries.succeeded();
                }
                if (!client.isWorthRetrying(lost) || !tries.again()) {
                    throw client.unreachable(lost);
                }
            }
        }
    }
}
