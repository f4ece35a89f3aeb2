package dev.vivarium.protocol.api;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What the cluster's check of the whole log of events has found, and how far the one that is under way has come.
 *
 * @param last the last check that has ended, or the one under way once it has found something; empty before the first
 * @param underWay the check that is under way
 */
public record AuditCheck(Optional<Report> last, Optional<Progress> underWay) {
    /** Before the first check. */
    public static final AuditCheck NONE = new AuditCheck(Optional.empty(), Optional.empty());

    /**
     * What a check has found.
     *
     * @param startedAt when it began
     * @param endedAt when it ended; empty for one that goes on
     * @param node the node that did it
     * @param events the events of the checkpoint that it went up to
     * @param findings what is not as it was written, as sentences; none when everything is
     */
    public record Report(
            Instant startedAt, Optional<Instant> endedAt, String node, long events, List<String> findings) {
        public Report {
            Objects.requireNonNull(startedAt, "startedAt");
            Objects.requireNonNull(node, "node");
            findings = List.copyOf(findings);
        }

        /** Whether it says more than another one: it began later, or it is the same one later on. */
        public boolean isNewerThan(Report other) {
            int order = startedAt.compareTo(other.startedAt);
            return order > 0
                    || (order == 0
                            && (findings.size() > other.findings.size()
                                    || (endedAt.isPresent() && other.endedAt.isEmpty())));
        }
    }

    /**
     * A check that is under way.
     *
     * @param startedAt when it began
     * @param node the node that does it
     * @param events the events of the checkpoint that it goes up to
     * @param looked how many of them it has looked at
     */
    public record Progress(Instant startedAt, String node, long events, long looked) {
        public Progress {
            Objects.requireNonNull(startedAt, "startedAt");
            Objects.requireNonNull(node, "node");
        }
    }
}
