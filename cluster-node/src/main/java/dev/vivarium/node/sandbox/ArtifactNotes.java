package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.LeftOut;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The files kept so far, those left out, and the remaining room. Not thread-safe. */
final class ArtifactNotes {
    private final long bytesMax;
    private final Map<String, Artifact> kept = new TreeMap<>();
    private final Set<String> seen = new HashSet<>();
    private final Set<String> absent = new HashSet<>();
    private final List<LeftOut> examples = new ArrayList<>();
    private long leftOut;
    private long bytes;
    private int pathBytes;

    ArtifactNotes(ByteSize limit) {
        this.bytesMax = limit.bytes();
    }

    /** Whether the path is new; remembers as many paths as files can be kept. */
    boolean isNew(String path) {
        return seen.size() >= Artifact.FILES_MAX ? !seen.contains(path) : seen.add(path);
    }

    /** Why a file with this path and size cannot be kept; empty if it can. */
    Optional<LeftOut.Cause> objection(String path, long size) {
        if (kept.size() >= Artifact.FILES_MAX || pathBytes + utf8Bytes(path) > Artifact.PATH_BYTES_MAX) {
            return Optional.of(LeftOut.Cause.TOO_MANY);
        }
        return size > bytesMax - bytes ? Optional.of(LeftOut.Cause.TOO_LARGE) : Optional.empty();
    }

    void keep(Artifact artifact) {
        kept.put(artifact.path(), artifact);
        bytes += artifact.size();
        pathBytes += utf8Bytes(artifact.path());
    }

    /** Counts a path once, however many patterns name it, as far as it remembers. */
    void leaveOut(String path, LeftOut.Cause why) {
        if (absent.contains(path) || (absent.size() < Artifact.FILES_MAX && !absent.add(path))) {
            return;
        }
        leftOut++;
        if (examples.size() < LeftOut.NAMED_MAX) {
            examples.add(new LeftOut(path, why));
        }
    }

    /** Marks all files as not kept. */
    void dropAll(LeftOut.Cause why) {
        kept.keySet().forEach(path -> leaveOut(path, why));
        kept.clear();
    }

    KeptArtifacts all() {
        return new KeptArtifacts(List.copyOf(kept.values()), leftOut, examples);
    }

    private static int utf8Bytes(String path) {
        return path.getBytes(StandardCharsets.UTF_8).length;
    }
}
