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
 * Messages about peers in a node's log.
 *
 * @param notices in order of the log
 */
record PeerNotices(List<Notice> notices) {
    private static final String WARNED = "^(\\S+Z) WARN .*";
    private static final String PEER = "([0-9.]+:[0-9]+)";
    /** The end of its process was noticed, which needs no further decision. */
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

    /** What a node logs about a peer. */
    enum Kind {
        /** Its heartbeats are missing, or its machine reports that its process is gone. */
        MISSED,
        /** It was decided to down the peer. */
        GIVEN_UP,
        /** It is no longer a member, and its shards are free. */
        REMOVED
    }

    /** A message about a peer, identified by its address. */
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

    /** When this was first logged about a peer after a time. */
    Optional<Instant> first(Kind kind, String peer, Instant after) {
        return notices.stream()
                .filter(notice -> notice.kind == kind && notice.peer.equals(peer) && notice.at.isAfter(after))
                .map(Notice::at)
                .min(Comparator.naturalOrder());
    }

    /** How often this log reports a live node as missed. */
    int falseAlarms(List<Absence> absences) {
        return (int) notices.stream()
                .filter(notice -> notice.kind == Kind.MISSED)
                .filter(notice -> absences.stream().noneMatch(absence -> absence.explains(notice)))
                .count();
    }

    /** When a node was down. */
    record Absence(String peer, Instant from, Instant to) {
        private boolean explains(Notice notice) {
            return notice.peer.equals(peer) && notice.at.isAfter(from) && notice.at.isBefore(to);
        }
    }
}
