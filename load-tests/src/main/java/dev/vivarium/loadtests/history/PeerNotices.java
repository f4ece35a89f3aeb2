package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the log of a node says of its peers.
 *
 * @param notices in the order in which they were written
 */
record PeerNotices(List<Notice> notices) {
    private static final String PEER = ".*?@([0-9.]+:[0-9]+)";
    private static final Pattern MISSED =
            Pattern.compile("^(\\S+Z) WARN .*Marking node as UNREACHABLE \\[" + PEER + ".*");
    private static final Pattern GIVEN_UP =
            Pattern.compile("^(\\S+Z) WARN .*SBR took decision \\S+ and is downing \\[" + PEER + ".*");

    private static final Pattern REMOVED =
            Pattern.compile("^(\\S+Z) WARN .*Association to \\[" + PEER + ".*Reason: Cluster member removed.*");

    PeerNotices {
        notices = List.copyOf(notices);
    }

    /** What a node can say of a peer. */
    enum Kind {
        /** Its heartbeats stay away. */
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
            notice(line, MISSED, Kind.MISSED)
                    .or(() -> notice(line, GIVEN_UP, Kind.GIVEN_UP))
                    .or(() -> notice(line, REMOVED, Kind.REMOVED))
                    .ifPresent(notices::add);
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
