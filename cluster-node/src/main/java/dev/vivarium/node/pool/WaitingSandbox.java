package dev.vivarium.node.pool;

import dev.vivarium.node.driver.ChannelListener;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.GuestFrame;
import java.util.Optional;

/**
 * A sandbox that waits for a run, or that a run has taken: the listener of its channel, which passes everything on from the
 * moment that it serves. Thread-safe.
 */
public final class WaitingSandbox implements ChannelListener {
    private final SandboxId id;
    private final long madeNanos;
    private final Runnable onGone;
    private Optional<SandboxHandle> handle = Optional.empty();
    private Optional<ChannelListener> owner = Optional.empty();
    private boolean gone;

    /** @param onGone called when its channel ends while it waits */
    WaitingSandbox(SandboxId id, long madeNanos, Runnable onGone) {
        this.id = id;
        this.madeNanos = madeNanos;
        this.onGone = onGone;
    }

    public SandboxId id() {
        return id;
    }

    long madeNanos() {
        return madeNanos;
    }

    synchronized void ready(SandboxHandle made) {
        handle = Optional.of(made);
    }

    synchronized boolean isGone() {
        return gone;
    }

    /**
     * Passes everything from its channel to the listener from now on. Returns its handle; empty when its channel has ended
     * while it waited.
     */
    public synchronized Optional<SandboxHandle> serve(ChannelListener listener) {
        if (gone) {
            return Optional.empty();
        }
        owner = Optional.of(listener);
        return handle;
    }

    /** A guest that waits sends nothing; if one does, its channel stops at the limit of unconfirmed frames. */
    @Override
    public void onFrame(GuestFrame frame) {
        owner().ifPresent(serving -> serving.onFrame(frame));
    }

    @Override
    public void onClosed(ClosedBecause why) {
        Optional<ChannelListener> serving;
        synchronized (this) {
            gone = true;
            serving = owner;
        }
        serving.ifPresentOrElse(listener -> listener.onClosed(why), onGone);
    }

    private synchronized Optional<ChannelListener> owner() {
        return owner;
    }
}
