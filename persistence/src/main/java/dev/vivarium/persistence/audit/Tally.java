package dev.vivarium.persistence.audit;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Something that is counted over the events with a position.
 *
 * @param measure what is counted
 * @param period the beginning of the hour or day, in UTC
 * @param tenant the tenant of the runs
 * @param key what the measure distinguishes, as a kill's reason; empty when it distinguishes nothing
 */
public record Tally(Measure measure, Instant period, String tenant, String key) {
    /** What is counted. */
    public enum Measure {
        /** Runs that were killed, by reason; an hour each. */
        KILLS(ChronoUnit.HOURS),
        /** Runs that were accepted; a day each. */
        RUNS(ChronoUnit.DAYS),
        /** Runs that ended, by the name of their last event; a day each. */
        ENDS(ChronoUnit.DAYS),
        /** Milliseconds of processor time of attempts whose last event says it; a day each. */
        CPU_MILLIS(ChronoUnit.DAYS),
        /** Bytes over the network, both directions; a day each. */
        EGRESS_BYTES(ChronoUnit.DAYS),
        /** Packets and queries to forbidden destinations, by destination as far as events name them; a day each. */
        DENIALS(ChronoUnit.DAYS);

        private final ChronoUnit period;

        Measure(ChronoUnit period) {
            this.period = period;
        }

        /** How long each period is. */
        public ChronoUnit period() {
            return period;
        }
    }

    static Tally of(Measure measure, Instant at, String tenant, String key) {
        return new Tally(measure, at.truncatedTo(measure.period), StorableText.of(tenant), StorableText.of(key));
    }

    /** A tally with its total. */
    public record Count(Tally tally, long total) {}
}
