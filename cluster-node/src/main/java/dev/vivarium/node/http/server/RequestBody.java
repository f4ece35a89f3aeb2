package dev.vivarium.node.http.server;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.RequestEntity;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteString;

/**
 * Receives a body, with limits on its size, its time and the memory of all bodies together. A body that is too large is
 * received to its end all the same, up to a limit, and thrown away: a client that is still sending would not see why it
 * was refused.
 */
final class RequestBody {
    /** How much more than the largest body is received and thrown away, in bytes; beyond it the connection is cut. */
    private static final long DISCARDED_BYTES_MAX = 64L << 20;

    private RequestBody() {}

    /** What came of it. */
    sealed interface Received {
        /** All of it. */
        record Whole(ByteString bytes) implements Received {}

        /** More than the limit. */
        record TooLarge() implements Received {}

        /** Not within its time. */
        record TooSlow() implements Received {}

        /** Other bodies take all the memory there is for bodies. */
        record NoRoom() implements Received {}

        /** The client went away in the middle. */
        record CutOff() implements Received {}
    }

    static CompletionStage<Received> receive(
            RequestEntity entity, int maxBytes, Duration timeout, BodyBudget.Share share, ActorSystem<?> system) {
        return entity.withoutSizeLimit()
                .getDataBytes()
                .completionTimeout(timeout)
                .runWith(
                        Sink.fold(Kept.NOTHING, (Kept kept, ByteString part) -> kept.with(part, maxBytes, share)),
                        system)
                .handle((kept, failure) -> failure == null ? kept.received(maxBytes) : failed(failure));
    }

    /**
     * Receives a body that nobody wants, where it was not received before, and throws it away. Completes when that is
     * done or has taken too long; never fails.
     */
    static CompletionStage<Received> discard(RequestEntity entity, Duration timeout, ActorSystem<?> system) {
        return entity.isStrict()
                ? CompletableFuture.completedStage(new Received.Whole(ByteString.emptyByteString()))
                : receive(entity, 0, timeout, new BodyBudget(0).open(), system);
    }

    private static Received failed(Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        if (cause instanceof FarTooLarge) {
            return new Received.TooLarge();
        }
        return cause instanceof TimeoutException ? new Received.TooSlow() : new Received.CutOff();
    }

    /**
     * What has come so far.
     *
     * @param bytes what is kept of it
     * @param seenBytes how much it was
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
