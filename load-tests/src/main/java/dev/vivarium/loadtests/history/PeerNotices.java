package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the log of a node says of its peers.
 *
 * @param notices in the order in which they were written
 */
record PeerNotices(List<Notice> notices) {
    private static final String WARNED = "^(\\S+Z) WARN .*";
    private static final String PEER = "([0-9.]+:[0-9]+)";
    /** By its process's end, which leaves nothing to be decided. */
    private static final String CRASHED = "CrashWatch: The node at " + PEER + " has crashed.*";

    private static final Map<Kind, List<Pattern>> SHAPES = Map.of(
            Kind.MISSED,
            List.of(
                    Pattern.compile(WARNED + "Marking node as UNREACHABLE \\[.*?@" + PEER + ".*"),
                    Pattern.compile(WARNED + CRASHED)),
            Kind.GIVEN_UP,
            List.of(
                    Pattern.compile(WARNED + "SBR took decision \\S+ and is downing \\[.*?@" + PEER + ".*"),
                    Pattern.compile(WARNED + CRASHED)),
            Kind.REMOVED,
            List.of(Pattern.compile(WARNED + "The node at " + PEER + " is no member any more.*")));

    PeerNotices {
        notices = List.copyOf(notices);
    }

    /** What a node can say of a peer. */
    enum Kind {
        /** Its heartbeats stay away, or its machine says that its process is gone. */
        MISSED,
        /** It is decided to go on without it. */
        GIVEN_UP,
        /** It is no member any more, and what it held is free. */
        REMOVED
    }

    /** What was said of a peer, which is named by its address. */
    record Notice(Instant at, Kind kind, String peer) {}

    static PeerNotices read(List<String> log) {
        List<Notice> notices = new ArrayList<>();
        for (String line : log) {
            for (Kind kind : Kind.values()) {
                SHAPES.getOrDefault(kind, List.of())
                        .forEach(shape -> notice(line, shape, kind).ifPresent(notices::add));
            }
        }
        return new PeerNotices(notices);
    }

    private static Optional<Notice> notice(String line, Pattern shape, Kind kind) {
        Matcher found = shape.matcher(line);
        return found.matches()
                ? Optional.of(new Notice(Instant.parse(found.group(1)), kind, found.group(2)))
                : Optional.empty();
    }

    /** When this was first said of a peer after a moment. */
    Optional<Instant> first(Kind kind, String peer, Instant after) {
        return notices.stream()
                .filter(notice -> notice.kind == kind && notice.peer.equals(peer) && notice.at.isAfter(after))
                .map(Notice::at)
                .min(Comparator.naturalOrder());
    }

    /** Nodes that were missed although they lived: how often, by this log. */
    int falseAlarms(List<Absence> absences) {
        return (int) notices.stream()
                .filter(notice -> notice.kind == Kind.MISSED)
                .filter(notice -> absences.stream().noneMatch(absence -> absence.explains(notice)))
                .count();
    }

    /** When a node did not live. */
    record Absence(String peer, Instant from, Instant to) {
        private boolean explains(Notice notice) {
            return notice.peer.equals(peer) && notice.at.isAfter(from) && notice.at.isBefore(to);
        }
    }
}
