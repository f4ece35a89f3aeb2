package dev.vivarium.node.http.server;

import java.time.Duration;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.pekko.Done;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/**
 * The open connections, from the kernel's accept to its close, and which of them makes room for a new one. A full node closes
 * the connection that has waited longest without a request that passed the {@link Gate}: a stranger can open as many as it
 * likes and hold none that a caller needs. A stream of HTTP/2 has a place as a connection has, beside that of its connection, which
 * makes no room while a stream works for a caller. A connection has a moment for its request first; while all are that young, or
 * work for callers, new ones are crowded: they get one answer each, health checks the usual one, everything else that the
 * node is full. Thread-safe.
 */
final class OpenConnections {
    /** Connections beyond the limit, which are crowded. */
    static final int RESERVE = 64;
    /** The longest wait for the request of a crowded connection, so that silent ones do not keep the reserve. */
    static final Duration CROWDED_WAIT = Duration.ofSeconds(2);
    /** What a connection has at least, before it makes room: time for a request that is on its way. */
    static final Duration UNDISTURBED = Duration.ofSeconds(1);
    /** How long a client may take nothing of its answer before it counts as one that does not read. */
    static final Duration UNREAD = Duration.ofSeconds(10);

    private static final AttributeKey<Place> PLACE = AttributeKey.create("place", Place.class);

    /** What a connection does, in the order in which they make room. */
    private enum Standing {
        /** Its last answer is given; what its client still sends is discarded. */
        LEAVING,
        /** No request of it has passed the gate. */
        STRANGER,
        /** One has passed, and none is in progress. */
        IDLE,
        /** One has passed, and its body has not arrived. */
        RECEIVING,
        /** A request of a caller is worked on. It makes no room unless its client does not read the answer. */
        WORKING
    }

    private final int max;
    private final int maxOfOne;
    private final LongSupplier nanos;
    /** Each in the order in which they came to it. */
    private final Map<Standing, Set<Place>> places = new EnumMap<>(Standing.class);
    /** Callers without a request in progress are not in it. */
    private final Map<KnownCaller, Integer> requests = new HashMap<>();

    private final CompletableFuture<Done> left = new CompletableFuture<>();
    private boolean stopping;
    private int streams;
    private long displaced;

    /**
     * @param max connections that are not crowded
     * @param maxOfOne requests in progress of one caller
     * @param nanos a clock that never jumps
     */
    OpenConnections(int max, int maxOfOne, LongSupplier nanos) {
        this.max = max;
        this.maxOfOne = maxOfOne;
        this.nanos = nanos;
    }

    /** A new connection, for which another one is closed if there are too many. */
    synchronized Place open() {
        return new Place(isCrowded(), Optional.empty(), () -> {});
    }

    private boolean isCrowded() {
        boolean full = taken() >= max;
        boolean crowded = full && !makeRoom(UNDISTURBED);
        if (crowded && taken() >= max + RESERVE) {
            makeRoom(Duration.ZERO);
        }
        return crowded;
    }

    private int taken() {
        return places.values().stream().mapToInt(Set::size).sum();
    }

    /** How many are open. */
    synchronized int count() {
        return taken() - streams;
    }

    /** How many streams they have, where a connection carries several. */
    synchronized int streams() {
        return streams;
    }

    /** How many were closed for others. */
    synchronized long displaced() {
        return displaced;
    }

    /** Ends connections without a request in progress, and the others after their answers. */
    synchronized void stop() {
        stopping = true;
        all().forEach(place -> place.requester.leave());
        completeWhenLeft();
    }

    /** Ends those that are left, with an answer to requests that have none. */
    synchronized void cutOff() {
        all().forEach(place -> place.requester.cutOff());
    }

    /** Completes when, after a stop, no request is in progress. Never fails. */
    CompletionStage<Done> left() {
        return left.copy();
    }

    private Set<Place> in(Standing standing) {
        return places.computeIfAbsent(standing, none -> new LinkedHashSet<>());
    }

    private Stream<Place> all() {
        return places.values().stream().flatMap(Set::stream).toList().stream();
    }

    private void completeWhenLeft() {
        if (stopping && taken() == in(Standing.LEAVING).size()) {
            left.complete(Done.getInstance());
        }
    }

    private boolean makeRoom(Duration waitedMin) {
        Optional<Place> longest = Stream.of(Standing.LEAVING, Standing.STRANGER, Standing.IDLE, Standing.RECEIVING)
                .flatMap(standing -> in(standing).stream().limit(1))
                .filter(place -> hasPassed(place.since, waitedMin))
                .findFirst()
                .or(this::unread);
        longest.ifPresent(place -> {
            place.leaveTo(Optional.empty());
            displaced++;
            place.bytes.run();
        });
        return longest.isPresent();
    }

    /** The one whose client has not read its answer for longest. */
    private Optional<Place> unread() {
        return in(Standing.WORKING).stream()
                .filter(place -> place.unreadSince
                        .filter(since -> hasPassed(since, UNREAD))
                        .isPresent())
                .max(Comparator.comparingLong(
                        place -> place.unreadSince.map(this::nanosSince).orElse(0L)));
    }

    private boolean hasPassed(long since, Duration least) {
        return nanosSince(since) >= least.toNanos();
    }

    private long nanosSince(long since) {
        return nanos.getAsLong() - since;
    }

    /** How the requests of a connection are ended. */
    interface Requester {
        /** Ends when no request is in progress. */
        void leave();

        /** Ends at once, with an answer if one is due. */
        void cutOff();

        /** Ends at once: the connection is no more. */
        void gone();
    }

    /** The place of the connection of a request; empty for one that did not come over a connection. */
    static Optional<Place> of(HttpRequest request) {
        return request.getAttribute(PLACE);
    }

    /** One connection, or one stream of one. */
    final class Place {
        private final boolean crowded;
        /** The connection of a stream. */
        private final Optional<Place> parent;
        /** What its connection is told when a caller's request has passed. */
        private final Runnable known;
        /** Streams of it that work for callers. */
        private int working;

        private Optional<Standing> standing = Optional.empty();
        private long since;
        private Requester requester = new Unserved();
        private Runnable bytes = () -> {};
        private Optional<KnownCaller> caller = Optional.empty();
        private Optional<Long> unreadSince = Optional.empty();
        private boolean bodyArrived = true;

        private Place(boolean crowded, Optional<Place> parent, Runnable known) {
            this.crowded = crowded;
            this.parent = parent;
            this.known = known;
            if (parent.isPresent()) {
                streams++;
            }
            leaveTo(Optional.of(Standing.STRANGER));
        }

        /** A connection of which nothing is served yet. */
        private final class Unserved implements Requester {
            @Override
            public void leave() {
                bytes.run();
            }

            @Override
            public void cutOff() {
                bytes.run();
            }

            @Override
            public void gone() {}
        }

        /**
         * A new stream of this connection.
         *
         * @param whenKnown what is done when its request is that of a caller; never blocks
         */
        Place stream(Runnable whenKnown) {
            synchronized (OpenConnections.this) {
                return new Place(crowded || OpenConnections.this.isCrowded(), Optional.of(this), whenKnown);
            }
        }

        boolean isCrowded() {
            return crowded;
        }

        /** @param abort closes the connection at once; idempotent, never blocks */
        void carriedBy(Runnable abort) {
            synchronized (OpenConnections.this) {
                bytes = abort;
                if (standing.isEmpty()) {
                    abort.run();
                }
            }
        }

        void servedBy(Requester served) {
            synchronized (OpenConnections.this) {
                requester = served;
                if (standing.isEmpty()) {
                    served.gone();
                } else if (stopping) {
                    served.leave();
                }
            }
        }

        /** A request whose head is complete. */
        HttpRequest begin(HttpRequest request) {
            synchronized (OpenConnections.this) {
                bodyArrived = request.entity().isStrict();
                return request.addAttribute(PLACE, this);
            }
        }

        /** The request has passed the gate; returns false, and it has not, when its caller has too many in progress. */
        boolean passed(KnownCaller whose) {
            synchronized (OpenConnections.this) {
                if (requests.getOrDefault(whose, 0) >= maxOfOne) {
                    return false;
                }
                if (standing.isPresent()) {
                    release();
                    requests.merge(whose, 1, Integer::sum);
                    caller = Optional.of(whose);
                    parent.ifPresent(Place::works);
                    known.run();
                    leaveTo(Optional.of(bodyArrived ? Standing.WORKING : Standing.RECEIVING));
                }
                return true;
            }
        }

        /** The request's body is one that other limits bound. */
        void bodyIsBounded() {
            synchronized (OpenConnections.this) {
                moveOn(Standing.RECEIVING, Standing.WORKING);
            }
        }

        /** The request's body is here, to its end. */
        void bodyArrived() {
            synchronized (OpenConnections.this) {
                bodyArrived = true;
                moveOn(Standing.RECEIVING, Standing.WORKING);
            }
        }

        /** Whether a request of it that has passed the gate is in progress. */
        boolean isOfCaller() {
            synchronized (OpenConnections.this) {
                return caller.isPresent();
            }
        }

        boolean hasBodyArrived() {
            synchronized (OpenConnections.this) {
                return bodyArrived;
            }
        }

        /** The request is answered, to the end of its answer. */
        void answered() {
            synchronized (OpenConnections.this) {
                release();
                moveOn(Standing.RECEIVING, Standing.IDLE);
                moveOn(Standing.WORKING, Standing.IDLE);
            }
        }

        /** The client has not taken what was sent to it. */
        void unread() {
            synchronized (OpenConnections.this) {
                unreadSince = Optional.of(nanos.getAsLong());
            }
        }

        /** The client has taken everything. */
        void read() {
            synchronized (OpenConnections.this) {
                unreadSince = Optional.empty();
            }
        }

        /** Whether its client does not read, and nothing is worked on for a caller. */
        boolean isInVain() {
            synchronized (OpenConnections.this) {
                return standing.filter(Standing.WORKING::equals).isEmpty()
                        && unreadSince.filter(since -> hasPassed(since, UNREAD)).isPresent();
            }
        }

        /** No further request is taken. */
        void leaving() {
            synchronized (OpenConnections.this) {
                release();
                if (standing.isPresent()) {
                    leaveTo(Optional.of(Standing.LEAVING));
                }
            }
        }

        /** The connection is no more. Idempotent. */
        void closed() {
            synchronized (OpenConnections.this) {
                release();
                leaveTo(Optional.empty());
                requester.gone();
            }
        }

        private void works() {
            working++;
            if (standing.filter(Standing.LEAVING::equals).isEmpty() && standing.isPresent()) {
                leaveTo(Optional.of(Standing.WORKING));
            }
        }

        private void rests() {
            working--;
            if (working == 0) {
                moveOn(Standing.WORKING, Standing.IDLE);
            }
        }

        private void release() {
            if (caller.isPresent()) {
                parent.ifPresent(Place::rests);
            }
            caller.ifPresent(whose -> requests.computeIfPresent(whose, (same, count) -> count == 1 ? null : count - 1));
            caller = Optional.empty();
        }

        private void moveOn(Standing from, Standing to) {
            if (standing.filter(from::equals).isPresent()) {
                leaveTo(Optional.of(to));
            }
        }

        private void leaveTo(Optional<Standing> next) {
            if (next.equals(standing)) {
                return;
            }
            standing.ifPresent(now -> in(now).remove(this));
            if (next.isEmpty() && parent.isPresent()) {
                streams--;
            }
            standing = next;
            since = nanos.getAsLong();
            next.ifPresent(now -> in(now).add(this));
            completeWhenLeft();
        }
    }
}
