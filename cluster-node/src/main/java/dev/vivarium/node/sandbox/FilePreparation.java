package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.StartFailure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Brings a spec's files into the sandbox, one part at a time: the next is sent when the guest has written the one before,
 * so that what waits in the channel stays small, however much is brought. Owned by one Sandbox actor; not safe for use by
 * others.
 */
final class FilePreparation {
    private static final int PART_BYTES_MAX = 512 * 1024;

    private final Deque<NodeFrame.WriteFile> parts;

    FilePreparation(RunSpec spec, Map<String, Blob> contents, int uid) {
        this.parts = new ArrayDeque<>(parts(spec, contents, uid));
    }

    /** The part that the guest is to write now; empty when all are written. */
    Optional<NodeFrame.WriteFile> next() {
        return Optional.ofNullable(parts.peek());
    }

    /** The guest has answered the part that was sent last; a refusal, when it could not write it. */
    Optional<StartFailure> answered(GuestFrame.Done done) {
        NodeFrame.WriteFile sent = parts.remove();
        return done.errno() == 0 ? Optional.empty() : Optional.of(AgentStart.fileRefused(sent.path(), done.errno()));
    }

    boolean isComplete() {
        return parts.isEmpty();
    }

    /** The frames that put the spec's files into the sandbox, with the requests numbered from 1 in order. */
    private static List<NodeFrame.WriteFile> parts(RunSpec spec, Map<String, Blob> contents, int uid) {
        List<NodeFrame.WriteFile> frames = new ArrayList<>();
        new TreeMap<>(spec.files()).forEach((path, file) -> {
            byte[] bytes = contents.getOrDefault(path, Blob.EMPTY).toByteArray();
            int mode = file.mode().bits();
            int offset = 0;
            do {
                int end = Math.min(bytes.length, offset + PART_BYTES_MAX);
                Blob part = Blob.of(Arrays.copyOfRange(bytes, offset, end));
                frames.add(new NodeFrame.WriteFile(frames.size() + 1, absolute(path), mode, uid, uid, offset, part));
                offset = end;
            } while (offset < bytes.length);
        });
        return frames;
    }

    private static String absolute(String path) {
        return path.startsWith("/") ? path : AgentStart.WORKSPACE + "/" + path;
    }
}
