package dev.vivarium.node.network;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a node's packet filter and routing rules in force while others may change them, and reads the kernel's counters,
 * at intervals and on a thread of its own.
 */
final class NetworkWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NetworkWatch.class);

    private final NodeMark mark;
    private final PacketFilter filter;
    private final RoutingGuard guard;
    private final Attachments attachments;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread daemon = new Thread(task, "vivarium-egress");
        daemon.setDaemon(true);
        return daemon;
    });
    private final List<ScheduledFuture<?>> tasks = new ArrayList<>();
    /** Whether sandboxes are kept from opening connections. Used by the watching thread only. */
    private boolean closedForNew;
    /** What the last look at the filter found, or made of it. */
    private volatile boolean stood = true;

    NetworkWatch(NodeMark mark, PacketFilter filter, RoutingGuard guard, Attachments attachments) {
        this.mark = mark;
        this.filter = filter;
        this.guard = guard;
        this.attachments = attachments;
    }

    void start(EgressSettings settings, EgressMeter meter) {
        repeat(this::check, settings.checkInterval());
        repeat(meter::count, settings.countInterval());
        repeat(this::keepRoom, settings.countInterval());
    }

    /** An exception is logged and does not end the repetition. */
    private void repeat(Runnable task, Duration interval) {
        Runnable logged = () -> {
            try {
                task.run();
            } catch (RuntimeException failed) {
                LOG.error("A check of the sandboxes' network failed; it is repeated.", failed);
            }
        };
        tasks.add(
                thread.scheduleWithFixedDelay(logged, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS));
    }

    /**
     * A reload of the machine's packet filter removes this node's, too. Until it is restored, sandboxes reach nothing.
     */
    private void check() {
        if (filter.stands() && guardStands()) {
            stood = true;
            return;
        }
        stood = false;
        LOG.error("The packet filter of this node's sandboxes was changed by another program; it is installed again.");
        try {
            guard.install();
            filter.install();
            closedForNew = false;
            filter.allot(attachments.allotments());
            EngineChain.letPass(mark);
            stood = true;
        } catch (IOException failed) {
            LOG.error(
                    "Sandboxes reach nothing now: the packet filter cannot be installed again: {}",
                    failed.getMessage());
        }
    }

    /** Keeps room in the machine's connection tracking table for programs other than sandboxes. */
    private void keepRoom() {
        try {
            ConnectionTable table = ConnectionTable.now();
            boolean closes = table.closes(closedForNew);
            if (closes != closedForNew) {
                filter.closeForNew(closes);
                closedForNew = closes;
                LOG.warn(
                        "Sandboxes may {} new connections: this machine tracks {} of at most {}.",
                        closes ? "open no" : "again open",
                        table.entries(),
                        table.max());
            }
        } catch (IOException failed) {
            LOG.debug("The table of connections cannot be watched: {}", failed.getMessage());
        }
    }

    /** Whether filter and guard stood at the last look, or stand again. */
    boolean stood() {
        return stood;
    }

    private boolean guardStands() {
        try {
            return guard.stands();
        } catch (IOException unanswered) {
            return false;
        }
    }

    /** Stops without waiting for a check in progress. */
    @Override
    public void close() {
        tasks.forEach(task -> task.cancel(false));
        thread.shutdown();
    }
}
