package dev.vivarium.node.sandbox;

import dev.vivarium.node.archive.Utf8Name;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.GuestFrame.EntryKind;
import dev.vivarium.protocol.run.LeftOut.Cause;
import dev.vivarium.protocol.run.PathGlob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Searches a workspace for the requested files: decides what to look up next, and evaluates the results. It does no I/O, and
 * visits a limited number of names in all. Not thread-safe.
 */
final class ArtifactSearch {
    /** The limit of visited names, in all folders together. */
    static final int NAMES_MAX = 100_000;

    private final List<PathGlob> globs;
    private final ArtifactNotes notes;
    private final Deque<Look> looks = new ArrayDeque<>();
    private final Set<String> folders = new HashSet<>();
    private int names;

    /** A lookup to perform. */
    sealed interface Look {
        String path();

        /** A requested file, or something requested by its path that may be a folder. */
        record AtFile(String path) implements Look {}

        /** A folder, from a position in its listing on. */
        record IntoFolder(String path, long place) implements Look {}
    }

    ArtifactSearch(List<PathGlob> globs, ArtifactNotes notes) {
        this.globs = globs;
        this.notes = notes;
        for (PathGlob glob : globs) {
            if (glob.isLiteral()) {
                looks.addLast(new Look.AtFile(glob.literalPath()));
            } else {
                enter(glob.literalPath());
            }
        }
    }

    /** The next lookup, files before folders; empty at the end of the search. */
    Optional<Look> next() {
        return Optional.ofNullable(looks.pollFirst());
    }

    /** The requested path is a folder, which requests everything in it. */
    void isFolder(String path) {
        enter(path);
    }

    private void enter(String path) {
        if (folders.add(path)) {
            looks.addLast(new Look.IntoFolder(path, 0));
        }
    }

    /** A folder's entries, from the requested position on. */
    void listed(String folder, GuestFrame.FolderListed listed) {
        listed.place().ifPresent(place -> looks.addFirst(new Look.IntoFolder(folder, place)));
        Deque<Look> files = new ArrayDeque<>();
        Stream<GuestFrame.Entry> sorted = listed.entries().stream()
                .sorted(Comparator.comparing(
                        entry -> new String(entry.name().toByteArray(), StandardCharsets.ISO_8859_1)));
        for (GuestFrame.Entry entry : (Iterable<GuestFrame.Entry>) sorted::iterator) {
            if (++names > NAMES_MAX) {
                notes.leaveOut(folder.isEmpty() ? "." : folder, Cause.NOT_LOOKED_AT);
                looks.clear();
                break;
            }
            onEntry(folder, entry, files);
        }
        while (!files.isEmpty()) {
            looks.addFirst(files.removeLast());
        }
    }

    private void onEntry(String folder, GuestFrame.Entry entry, Deque<Look> files) {
        byte[] bytes = entry.name().toByteArray();
        Optional<String> name = Utf8Name.of(bytes);
        String shown = name.orElseGet(() -> Utf8Name.shown(bytes));
        String path = folder.isEmpty() ? shown : folder + "/" + shown;
        PathGlob.Match match = match(path);
        boolean isAsked =
                match == PathGlob.Match.MATCHES || (match == PathGlob.Match.BELOW && entry.kind() == EntryKind.FOLDER);
        if (!isAsked) {
            return;
        }
        if (name.isEmpty()) {
            notes.leaveOut(path, Cause.NAME_NOT_UTF8);
            return;
        }
        switch (entry.kind()) {
            case FILE -> files.addLast(new Look.AtFile(path));
            case FOLDER -> enter(path);
            case LINK -> notes.leaveOut(path, Cause.LINK);
            case OTHER -> notes.leaveOut(path, Cause.NO_FILE);
        }
    }

    private PathGlob.Match match(String path) {
        return globs.stream()
                .map(glob -> glob.match(path))
                .max(Comparator.naturalOrder())
                .orElse(PathGlob.Match.NONE);
    }

    /** Ends the search: pending lookups are left out. */
    void giveUp(Cause why) {
        looks.forEach(look -> notes.leaveOut(look.path().isEmpty() ? "." : look.path(), why));
        looks.clear();
    }
}
