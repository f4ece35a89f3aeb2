package dev.vivarium.persistence.postgres;

import dev.vivarium.persistence.journal.FencedOff;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes entries of the journal: one thread with a connection of its own takes all writes that wait and commits them with
 * one statement, and so with one flush of the database's log. While it is flushed, the next group gathers.
 *
 * <p>A group that the database refuses was not written; each of its writes is then tried again alone, so that a bad one
 * fails nobody else. A group whose connection is lost in the middle may be written or not: it is tried again on the next
 * connection, where the entries of a group that was written after all are found as those of the same writer. So a write
 * succeeds exactly if its entries are in the journal. Only one that finds no connection before its time is up can fail
 * without knowing; its error says so, and its entity must read the journal again, as after every failure.
 *
 * <p>Thread-safe. Limits: {@link Limits}.
 */
final class GroupCommit implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(GroupCommit.class);

    /** SQL state: an entry with this number exists. */
    private static final String NUMBER_TAKEN = "23505";

    private static final Duration RECONNECT_PAUSE = Duration.ofMillis(50);

    /** A way to the database. */
    interface Connector {
        /** Connects; blocks. */
        Link connect() throws SQLException;
    }

    /** A connection to the database, used by one thread. */
    interface Link {
        /** Writes them all, or none: durable when it returns. */
        void write(List<JournalWrite> writes) throws SQLException;

        /** Whether every entry of the write is there, and is this writer's. */
        boolean isWritten(JournalWrite write) throws SQLException;

        /** Whether the error means that nothing more can be done on this connection. */
        boolean isLost(SQLException failed);

        void close();

        /** Breaks it off in the middle; may be called from any thread. */
        void abort();
    }

    private final Connector connector;
    private final Limits limits;
    private final Clock clock;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    /** Oldest first. Guarded by itself, as the two sums. */
    private final Deque<Waiting> waiting = new ArrayDeque<>();

    private int waitingEvents;
    private long waitingBytes;
    /** Nothing is tried again any more. */
    private volatile boolean gaveUp;
    /** Changed by the thread only; closing may abort it. */
    private volatile Optional<Link> connected = Optional.empty();

    /**
     * How much may wait and be written together, and for how long.
     *
     * @param eventsWaitingMax entries that may wait; further writes fail
     * @param bytesWaitingMax bytes that may wait; further writes fail, except one that finds nothing waiting
     * @param groupEventsMax entries that are written with one statement, unless one write has more
     * @param writeMax how long a write may wait for a connection
     * @param closeMax how long closing waits for the writes that were accepted
     */
    record Limits(
            int eventsWaitingMax, long bytesWaitingMax, int groupEventsMax, Duration writeMax, Duration closeMax) {}

    /** What is known about a write that is not committed. */
    private enum Trace {
        /** The database has none of it. */
        NONE,
        /** A connection was lost while it was written. */
        UNKNOWN
    }

    private record Waiting(JournalWrite write, Instant until, CompletableFuture<Done> outcome) {}

    private GroupCommit(Connector connector, Limits limits, Clock monotonic) {
        this.connector = connector;
        this.limits = limits;
        this.clock = monotonic;
        this.thread = new Thread(this::keepCommitting, "vivarium-journal");
        this.thread.setDaemon(true);
    }

    /** Starts the thread; it connects when there is something to write. */
    static GroupCommit start(Connector connector, Limits limits, Clock monotonic) {
        GroupCommit commit = new GroupCommit(connector, limits, monotonic);
        commit.thread.start();
        return commit;
    }

    /**
     * Completes once the entries are durable. Fails with {@link FencedOff} when another writer was first, and with {@link
     * StoreUnavailable} when they cannot be written.
     */
    CompletionStage<Done> write(JournalWrite write) {
        Waiting added = new Waiting(write, clock.instant().plus(limits.writeMax()), new CompletableFuture<>());
        synchronized (waiting) {
            if (closing.getCount() == 0) {
                return refused(write, "the store is closed.");
            }
            boolean full = waitingEvents + write.rows().size() > limits.eventsWaitingMax()
                    || waitingBytes + write.bytes() > limits.bytesWaitingMax();
            if (full && !waiting.isEmpty()) {
                return refused(
                        write,
                        waitingEvents + " events with " + waitingBytes
                                + " bytes are waiting to be written already. Is the disk of the database slow?"
                                + " (vivarium-journal.events-waiting-max, bytes-waiting-max)");
            }
            waiting.add(added);
            waitingEvents += write.rows().size();
            waitingBytes += write.bytes();
            waiting.notifyAll();
        }
        return added.outcome();
    }

    private static CompletionStage<Done> refused(JournalWrite write, String why) {
        return CompletableFuture.failedFuture(new StoreUnavailable(cannotWrite(write) + why));
    }

    private static String cannotWrite(JournalWrite write) {
        return "The store cannot write event " + write.firstSeq() + " of " + write.journal() + ": ";
    }

    private void keepCommitting() {
        try {
            for (List<Waiting> group = next(); !group.isEmpty(); group = next()) {
                committing(group);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } finally {
            gaveUp = true;
            disconnect();
            refuseWaiting();
        }
    }

    private void refuseWaiting() {
        synchronized (waiting) {
            closing.countDown();
            waiting.forEach(one -> fail(one, Trace.NONE, new SQLException("the store is closed.")));
            waiting.clear();
        }
    }

    /** All that waits, up to the limit of a group; empty when closed and done. */
    private List<Waiting> next() throws InterruptedException {
        List<Waiting> group = new ArrayList<>();
        synchronized (waiting) {
            while (waiting.isEmpty()) {
                if (closing.getCount() == 0) {
                    return group;
                }
                waiting.wait();
            }
            int events = 0;
            while (!waiting.isEmpty() && !gaveUp) {
                JournalWrite write = waiting.element().write();
                events += write.rows().size();
                if (events > limits.groupEventsMax() && !group.isEmpty()) {
                    break;
                }
                group.add(waiting.remove());
                waitingEvents -= write.rows().size();
                waitingBytes -= write.bytes();
            }
        }
        return group;
    }

    /** Catches everything: without its thread no run of this node could go on. */
    private void committing(List<Waiting> group) throws InterruptedException {
        try {
            commit(group, Trace.NONE);
        } catch (RuntimeException bug) {
            log.error("A group of {} writes to the journal failed", group.size(), bug);
            disconnect();
            group.forEach(one -> fail(one, Trace.UNKNOWN, bug));
        }
    }

    private void commit(List<Waiting> group, Trace known) throws InterruptedException {
        List<Waiting> left = group;
        Trace trace = known;
        while (!left.isEmpty()) {
            try {
                attempt(connect(), left, trace);
                return;
            } catch (SQLException lost) {
                trace = connected.isPresent() ? Trace.UNKNOWN : trace;
                disconnect();
                left = inTime(left, trace, lost);
                if (!left.isEmpty()) {
                    TimeUnit.MILLISECONDS.sleep(RECONNECT_PAUSE.toMillis());
                }
            }
        }
    }

    /** @throws SQLException when the connection can no longer be used */
    private void attempt(Link link, List<Waiting> group, Trace trace) throws SQLException, InterruptedException {
        try {
            link.write(group.stream().map(Waiting::write).toList());
            group.forEach(one -> one.outcome().complete(Done.getInstance()));
        } catch (SQLException failed) {
            if (link.isLost(failed)) {
                throw failed;
            }
            if (group.size() == 1) {
                refused(link, group.get(0), trace, failed);
            } else {
                for (Waiting one : group) {
                    commit(List.of(one), trace);
                }
            }
        }
    }

    /** The database refused a write alone: it never will be written, or it was by the connection that was lost. */
    private static void refused(Link link, Waiting one, Trace trace, SQLException failed) throws SQLException {
        JournalWrite write = one.write();
        boolean taken = NUMBER_TAKEN.equals(failed.getSQLState());
        if (taken && trace == Trace.UNKNOWN && link.isWritten(write)) {
            one.outcome().complete(Done.getInstance());
        } else if (taken) {
            one.outcome().completeExceptionally(new FencedOff(write.journal(), write.firstSeq()));
        } else {
            fail(one, Trace.NONE, failed);
        }
    }

    /** Those that may be tried again; the others fail. */
    private List<Waiting> inTime(List<Waiting> group, Trace trace, SQLException lost) {
        Instant now = clock.instant();
        List<Waiting> left = new ArrayList<>();
        for (Waiting one : group) {
            if (!gaveUp && now.isBefore(one.until())) {
                left.add(one);
            } else {
                fail(one, trace, lost);
            }
        }
        return left;
    }

    private static void fail(Waiting one, Trace trace, Exception cause) {
        String unknown = trace == Trace.NONE
                ? ""
                : "the connection was lost while it was written, and whether it is written could not be found out: ";
        one.outcome()
                .completeExceptionally(
                        new StoreUnavailable(cannotWrite(one.write()) + unknown + cause.getMessage(), cause));
    }

    private Link connect() throws SQLException {
        Optional<Link> current = connected;
        if (current.isPresent()) {
            return current.get();
        }
        if (gaveUp) {
            throw new SQLException("the store is closed.");
        }
        Link next = connector.connect();
        connected = Optional.of(next);
        return next;
    }

    private void disconnect() {
        connected.ifPresent(Link::close);
        connected = Optional.empty();
    }

    /** Refuses further writes; those that were accepted are still written. Returns at once. */
    void shutDown() {
        synchronized (waiting) {
            closing.countDown();
            waiting.notifyAll();
        }
    }

    /** Writes what was accepted, as long as that may take, and stops; what is left fails. */
    @Override
    public void close() {
        shutDown();
        try {
            thread.join(limits.closeMax().toMillis());
            gaveUp = true;
            connected.ifPresent(Link::abort);
            thread.join(limits.closeMax().toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
