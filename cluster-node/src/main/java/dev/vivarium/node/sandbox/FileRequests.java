package dev.vivarium.node.sandbox;

import dev.vivarium.node.archive.UnpackStep;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import java.util.ArrayDeque;
import java.util.Deque;

/** Requested steps that the guest has not answered yet; it answers in order. Not thread-safe. */
final class FileRequests {
    /** For folders, links and small files the round trip dominates. */
    private static final int UNANSWERED_MAX = 32;

    private static final int UNANSWERED_BYTES_MAX = 256 << 10;

    private final Guest guest;
    private final int uid;
    private final Deque<Asked> unanswered = new ArrayDeque<>();
    private int unansweredBytes;
    private int request;

    private record Asked(UnpackStep step, int bytes) {}

    FileRequests(Guest guest, int uid) {
        this.guest = guest;
        this.uid = uid;
    }

    void send(UnpackStep step) {
        request++;
        int bytes = 0;
        if (step instanceof UnpackStep.Part part) {
            bytes = part.bytes().size();
            Blob data = Blob.of(part.bytes().toArray());
            guest.send(
                    new NodeFrame.WriteFile(request, part.path(), part.mode().bits(), uid, uid, part.offset(), data));
        } else if (step instanceof UnpackStep.Folder folder) {
            guest.send(new NodeFrame.MakeFolder(
                    request, folder.path(), folder.mode().bits(), uid, uid));
        } else if (step instanceof UnpackStep.Link link) {
            guest.send(new NodeFrame.MakeLink(request, link.path(), link.kind(), link.target(), uid, uid));
        }
        unanswered.add(new Asked(step, bytes));
        unansweredBytes += bytes;
    }

    /** The step that the guest has answered. */
    UnpackStep answered() {
        Asked asked = unanswered.remove();
        unansweredBytes -= asked.bytes;
        return asked.step;
    }

    /** Whether a further step may be sent. */
    boolean takeMore() {
        return unanswered.size() < UNANSWERED_MAX && unansweredBytes < UNANSWERED_BYTES_MAX;
    }

    boolean areAnswered() {
        return unanswered.isEmpty();
    }
}
