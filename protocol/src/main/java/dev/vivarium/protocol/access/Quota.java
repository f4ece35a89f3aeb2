package dev.vivarium.protocol.access;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/**
 * The table of quotas: what a tenant can be limited in. Names are those of the API, the configuration and the store, and
 * permanent. A run counts from its acceptance to its end, whether or not it has a slot: so a run that waits can start
 * when its turn comes.
 */
public enum Quota {
    /** Runs that have not ended, those that wait for a slot included. */
    RUNS("runs", Unit.COUNT),
    /** Runs that wait for a slot. */
    WAITING("waiting", Unit.COUNT),
    /** The limits {@code memory} of runs that have not ended, together. */
    MEMORY("memory", Unit.BYTES),
    /** Their limits {@code cpu}. */
    CPU("cpu", Unit.MILLICORES),
    /** Their limits {@code pids}. */
    PIDS("pids", Unit.COUNT),
    /** Their limits {@code disk}. */
    DISK("disk", Unit.BYTES),
    /**
     * Bytes over the network in a day of UTC, in both directions: the limits {@code egressBytes} of runs that have not ended
     * and may use the network, and what attempts have used that ended on that day.
     */
    EGRESS("egressBytesPerDay", Unit.BYTES),
    /**
     * Bytes that are kept: the limits {@code output} and {@code artifacts} of runs that have not ended, the latter of those
     * that name some; what ended runs have printed, until that is deleted; and contents of files, each once.
     */
    KEPT("keptBytes", Unit.BYTES),
    /** New runs a second, on each node; as many may come at once. */
    SUBMISSIONS("submissionsPerSecond", Unit.PER_SECOND),
    /** Requests that read, a second, on each node; as many may come at once. */
    READS("readsPerSecond", Unit.PER_SECOND),
    /** No limit, but the tenant's share of slots while runs wait: for each slot of a tenant with 1, one with 3 holds three. */
    WEIGHT("weight", Unit.WEIGHT);

    /** No limit. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /** The word for no limit. */
    public static final String UNLIMITED_TEXT = "unlimited";

    private static final long RATE_MAX = 1_000_000;
    private static final long WEIGHT_MAX = 1_000;

    /** What amounts are numbers of. */
    public enum Unit {
        COUNT("a whole number such as 10"),
        BYTES("a size such as 512Mi or 64Gi"),
        MILLICORES("a number of cores such as 8 or 500m"),
        PER_SECOND("a whole number such as 10, at most " + RATE_MAX),
        WEIGHT("a whole number from 1 to " + WEIGHT_MAX);

        private final String notation;

        Unit(String notation) {
            this.notation = notation;
        }
    }

    private final String text;
    private final Unit unit;

    Quota(String text, Unit unit) {
        this.text = text;
        this.unit = unit;
    }

    /** What its amounts are numbers of. */
    public Unit unit() {
        return unit;
    }

    /** The notation of amounts, to complete the words "must be". */
    public String notation() {
        return unit == Unit.WEIGHT ? unit.notation : unit.notation + ", or " + UNLIMITED_TEXT;
    }

    /** The quota of this name, if there is one. */
    public static Optional<Quota> named(String name) {
        return Arrays.stream(values()).filter(quota -> quota.text.equals(name)).findFirst();
    }

    /**
     * Reads the name.
     *
     * @throws IllegalArgumentException when there is no such quota
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Quota of(String name) {
        return named(name).orElseThrow(() -> new IllegalArgumentException("There is no quota " + name + "."));
    }

    /**
     * Reads an amount in its notation.
     *
     * @throws IllegalArgumentException with words for the user, to follow the quota's name, when it is none
     */
    public long amount(String written) {
        if (written.equals(UNLIMITED_TEXT) && unit != Unit.WEIGHT) {
            return UNLIMITED;
        }
        long amount;
        try {
            amount = switch (unit) {
                case COUNT, PER_SECOND, WEIGHT -> Long.parseLong(written);
                case BYTES -> ByteSize.parse(written).bytes();
                case MILLICORES -> CpuQuota.parse(written).millicores();
            };
        } catch (IllegalArgumentException | ArithmeticException malformed) {
            throw new IllegalArgumentException("must be " + notation(), malformed);
        }
        if (amount < 0 || amount == UNLIMITED || !isInRange(amount)) {
            throw new IllegalArgumentException("must be " + notation());
        }
        return amount;
    }

    private boolean isInRange(long amount) {
        return switch (unit) {
            case PER_SECOND -> amount <= RATE_MAX;
            case WEIGHT -> amount >= 1 && amount <= WEIGHT_MAX;
            case COUNT, BYTES, MILLICORES -> true;
        };
    }

    /** An amount in its notation. */
    public String written(long amount) {
        Function<Long, Object> notation =
                switch (unit) {
                    case COUNT, PER_SECOND, WEIGHT -> number -> number;
                    case BYTES -> ByteSize::new;
                    case MILLICORES -> CpuQuota::new;
                };
        return amount == UNLIMITED ? UNLIMITED_TEXT : notation.apply(amount).toString();
    }

    @JsonValue
    @Override
    public String toString() {
        return text;
    }
}
