package dev.vivarium.node.admission;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.TimeSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The operator's defaults and ceilings for limits. Pure.
 *
 * <p>Processor time has no configured default: it is a little more than the sandbox could use within its wall clock at
 * its share of processors. A run therefore never ends by a limit that was not set, and a run that computes all the time
 * ends by its wall clock limit.
 */
public final class LimitPolicy {
    private final Limits defaults;
    private final Limits ceiling;
    private final Optional<ByteSize> diskInMemory;

    private LimitPolicy(Limits defaults, Limits ceiling, Optional<ByteSize> diskInMemory) {
        this.defaults = defaults;
        this.ceiling = ceiling;
        this.diskInMemory = diskInMemory;
    }

    /** The decision on a request: complete limits, or all errors. */
    sealed interface Verdict {
        record Granted(Limits limits) implements Verdict {}

        record Refused(List<FieldError> errors) implements Verdict {}
    }

    /**
     * Reads the policy.
     *
     * @param limits the block {@code vivarium.limits}
     * @throws ConfigException when a key is missing or wrong, or a default is beyond its ceiling
     */
    public static LimitPolicy from(Config limits) {
        Limits ceiling = partOfMemory(read(limits.getConfig("ceiling"), Limits.NONE));
        Limits defaults = partOfMemory(
                read(limits.getConfig("default"), Limits.NONE.with(Limit.CPU_TIME, ceiling.get(Limit.CPU_TIME))));
        LimitPolicy policy = new LimitPolicy(defaults, ceiling, Optional.empty());
        if (policy.decide(ceiling) instanceof Verdict.Refused refused) {
            throw mistake("ceiling", refused.errors().get(0));
        }
        if (policy.decide(defaults) instanceof Verdict.Refused refused) {
            throw mistake("default", refused.errors().get(0));
        }
        return policy;
    }

    /** This policy on a node whose disks are all in memory, with the largest of them. */
    public LimitPolicy withDisksInMemory(ByteSize most) {
        return new LimitPolicy(defaults, ceiling, Optional.of(most));
    }

    /** The limits of a run that names none. */
    public Limits defaults() {
        return defaults;
    }

    /** The complete limits of a run that requested these. */
    Verdict decide(Limits asked) {
        List<FieldError> errors = new ArrayList<>();
        Limits granted = Limits.NONE;
        for (Limit<?> limit : Limit.ALL) {
            granted = grant(limit, asked, granted, errors);
        }
        if (asked.find(Limit.SHARED_MEMORY).isPresent() && !isPartOfMemory(granted)) {
            errors.add(error(
                    Limit.SHARED_MEMORY,
                    "must be at most " + granted.get(Limit.MEMORY)
                            + ", the run's limits.memory, of which it is a part"));
        }
        ByteSize disk = granted.get(Limit.DISK);
        diskInMemory
                .filter(most -> disk.compareTo(most) > 0)
                .ifPresent(most -> errors.add(error(
                        Limit.DISK,
                        "must be at most " + most + " on this node, whose sandboxes have their disks in memory"
                                + " (vivarium.driver.docker.disk-size-max)")));
        granted = partOfMemory(granted);
        return errors.isEmpty() ? new Verdict.Granted(granted) : new Verdict.Refused(List.copyOf(errors));
    }

    /** The ceiling of a run's processor time. */
    TimeSpan cpuTimeMax() {
        return ceiling.get(Limit.CPU_TIME);
    }

    /** What is wrong with a wall clock that a renewal asks for, if anything; the field is that of the renewal. */
    Optional<String> objection(TimeSpan wallClock) {
        List<FieldError> errors = new ArrayList<>();
        grant(Limit.WALL_CLOCK, Limits.NONE.with(Limit.WALL_CLOCK, wallClock), Limits.NONE, errors);
        return errors.stream().map(FieldError::message).findFirst();
    }

    private <T extends Comparable<T>> Limits grant(
            Limit<T> limit, Limits asked, Limits granted, List<FieldError> errors) {
        Optional<T> named = asked.find(limit);
        if (named.isEmpty()) {
            return limit == Limit.CPU_TIME
                    ? granted.with(Limit.CPU_TIME, granted.cpuTimeOutOfReach(ceiling.get(Limit.CPU_TIME)))
                    : granted.with(limit, defaults.get(limit));
        }
        T largest = ceiling.get(limit);
        if (named.get().compareTo(limit.smallest()) < 0) {
            errors.add(error(limit, "must be at least " + limit.smallest()));
            return granted.with(limit, limit.smallest());
        }
        if (named.get().compareTo(largest) > 0) {
            errors.add(error(limit, "must be at most " + largest + ", the ceiling that this node's operator set"));
            return granted.with(limit, largest);
        }
        return granted.with(limit, named.get());
    }

    private static boolean isPartOfMemory(Limits limits) {
        return limits.get(Limit.SHARED_MEMORY).compareTo(limits.get(Limit.MEMORY)) <= 0;
    }

    /** Shared memory that was not asked for is no more than the memory that it is a part of. */
    private static Limits partOfMemory(Limits limits) {
        return isPartOfMemory(limits) ? limits : limits.with(Limit.SHARED_MEMORY, limits.get(Limit.MEMORY));
    }

    private static FieldError error(Limit<?> limit, String sentence) {
        return new FieldError("limits." + limit.name(), sentence);
    }

    /** Each limit that is not given yet. */
    private static Limits read(Config block, Limits known) {
        Limits limits = known;
        for (Limit<?> limit : Limit.ALL) {
            limits = known.find(limit).isPresent() ? limits : read(block, limit, limits);
        }
        return limits;
    }

    private static <T extends Comparable<T>> Limits read(Config block, Limit<T> limit, Limits limits) {
        try {
            return limits.with(limit, block.getString(limit.name()));
        } catch (IllegalArgumentException wrong) {
            throw new ConfigException.BadValue(
                    block.getValue(limit.name()).origin(), limit.name(), String.valueOf(wrong.getMessage()));
        }
    }

    private static ConfigException mistake(String block, FieldError error) {
        String key = "vivarium.limits." + block + error.field().substring("limits".length());
        return new ConfigException.BadValue(key, error.message());
    }
}
