package dev.vivarium.node.http.server;

import dev.vivarium.persistence.journal.StageFailure;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;

/**
 * Receives a body, with limits on its size, its time and the memory of all bodies together. A body that is too large is
 * still received, up to a limit, and discarded: otherwise a client that is still sending would not see why it was
 * refused.
 */
final class RequestBody {
    /** How many bytes beyond the largest body are received and discarded; then the connection is closed. */
    private static final long DISCARDED_BYTES_MAX = 64L << 20;

    private RequestBody() {}

    /** The outcome. */
    sealed interface Received {
        /** The complete body. */
        record Whole(ByteString bytes) implements Received {}

        /** The body exceeds its limit. */
        record TooLarge() implements Received {}

        /** The body did not arrive in time. */
        record TooSlow() implements Received {}

        /** The memory for bodies is exhausted. */
        record NoRoom() implements Received {}

        /** The client disconnected before the end. */
        record CutOff() implements Received {}
    }

    static CompletionStage<Received> receive(
            HttpRequest request, int maxBytes, Duration timeout, BodyBudget.Share share, ActorSystem<?> system) {
        return request.entity()
                .withoutSizeLimit()
                .getDataBytes()
                .completionTimeout(timeout)
                .runWith(
                        Sink.fold(Kept.NOTHING, (Kept kept, ByteString part) -> kept.with(part, maxBytes, share)),
                        system)
                .handle((kept, failure) -> failure == null ? arrived(request, kept, maxBytes) : failed(failure));
    }

    private static Received arrived(HttpRequest request, Kept kept, int maxBytes) {
        OpenConnections.of(request).ifPresent(OpenConnections.Place::bodyArrived);
        return kept.received(maxBytes);
    }

    /**
     * Receives and discards a body that is not needed, unless it was received already. Completes when that is done or
     * has taken too long; never fails. Is the body shorter than the time, {@link Received.Whole} is the outcome.
     */
    static CompletionStage<Received> discard(HttpRequest request, Duration timeout, ActorSystem<?> system) {
        return request.entity().isStrict()
                ? CompletableFuture.completedStage(new Received.Whole(ByteString.emptyByteString()))
                : receive(request, 0, timeout, new BodyBudget(0).open(), system);
    }

    private static Received failed(Throwable failure) {
        Throwable cause = StageFailure.cause(failure);
        if (cause instanceof FarTooLarge) {
            return new Received.TooLarge();
        }
        return cause instanceof TimeoutException ? new Received.TooSlow() : new Received.CutOff();
    }

    /**
     * What has arrived so far.
     *
     * @param bytes the bytes kept
     * @param seenBytes how many bytes arrived
     * @param room whether there was memory for it
     */
    private record Kept(ByteString bytes, long seenBytes, Room room) {
        static final Kept NOTHING = new Kept(ByteString.emptyByteString(), 0, Room.ENOUGH);

        Kept with(ByteString part, int maxBytes, BodyBudget.Share share) {
            long seen = seenBytes + part.size();
            if (seen > maxBytes + DISCARDED_BYTES_MAX) {
                throw new FarTooLarge();
            }
            if (seen > maxBytes || room == Room.EXHAUSTED) {
                return new Kept(ByteString.emptyByteString(), seen, room);
            }
            return share.take(part.size())
                    ? new Kept(bytes.concat(part), seen, room)
                    : new Kept(ByteString.emptyByteString(), seen, Room.EXHAUSTED);
        }

        Received received(int maxBytes) {
            if (seenBytes > maxBytes) {
                return new Received.TooLarge();
            }
            return room == Room.EXHAUSTED ? new Received.NoRoom() : new Received.Whole(bytes);
        }
    }

    private enum Room {
        ENOUGH,
        EXHAUSTED
    }

    private static final class FarTooLarge extends RuntimeException {}
}
