package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.LeftOut;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/** The files in a sandbox, listed and read by its guest as the agent's user. Thread-safe. */
final class GuestFiles {
    private final Consumer<NodeFrame> guest;
    private final int uid;
    private final AtomicInteger requests = new AtomicInteger();
    private final Map<Integer, CompletableFuture<GuestFrame>> asked = new ConcurrentHashMap<>();
    private volatile Optional<LeftOut.Cause> closed = Optional.empty();

    /** The guest accepts no further requests. */
    static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final LeftOut.Cause why;

        Closed(LeftOut.Cause why) {
            super("The files of the sandbox are not read any more: " + why, null, false, false);
            this.why = why;
        }

        LeftOut.Cause why() {
            return why;
        }
    }

    /** @param guest sends frames; may be called on any thread */
    GuestFiles(Consumer<NodeFrame> guest, int uid) {
        this.guest = guest;
        this.uid = uid;
    }

    CompletionStage<GuestFrame.FolderListed> list(String path, long place) {
        return ask(request -> new NodeFrame.ListFolder(request, path, place, uid, uid), GuestFrame.FolderListed.class);
    }

    /** A part of at most {@link GuestCodec#READ_LIMIT_BYTES}. */
    CompletionStage<GuestFrame.FileRead> read(String path, long offset) {
        return ask(
                request -> new NodeFrame.ReadFile(request, path, offset, GuestCodec.READ_LIMIT_BYTES, uid, uid),
                GuestFrame.FileRead.class);
    }

    private <T extends GuestFrame> CompletionStage<T> ask(Function<Integer, NodeFrame> frame, Class<T> answer) {
        int request = requests.incrementAndGet();
        CompletableFuture<GuestFrame> asking = new CompletableFuture<>();
        asked.put(request, asking);
        guest.accept(frame.apply(request));
        // Checked after the insertion: whichever is later, this or the close, sees the other.
        closed.ifPresent(why -> asking.completeExceptionally(new Closed(why)));
        return asking.thenApply(answer::cast);
    }

    /** Handles a frame of the guest; ignores frames that answer no request of this object. */
    void heard(GuestFrame frame) {
        if (frame instanceof GuestFrame.FolderListed listed) {
            answered(listed.request(), listed);
        } else if (frame instanceof GuestFrame.FileRead read) {
            answered(read.request(), read);
        }
    }

    private void answered(int request, GuestFrame answer) {
        Optional.ofNullable(asked.remove(request)).ifPresent(asking -> asking.complete(answer));
    }

    /** Fails all pending requests; the first reason counts. */
    void close(LeftOut.Cause why) {
        if (closed.isEmpty()) {
            closed = Optional.of(why);
        }
        List.copyOf(asked.values()).forEach(asking -> asking.completeExceptionally(new Closed(why)));
    }

    /** Why the guest accepts no further requests, if it does not. */
    Optional<LeftOut.Cause> closed() {
        return closed;
    }
}
