package dev.vivarium.node.admission;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.TimeSpan;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The operator's word on limits: what holds where a client names none, and what no client may exceed. Pure.
 *
 * <p>Processor time has no default of its own. Where a client names none it is a little more than the sandbox could use
 * within its wall clock at its share of processors, so that a run never ends for a limit that nobody set and a run that
 * computes all the time ends at its wall clock, by that name.
 */
public final class LimitPolicy {
    /** The smallest limits that an engine and a kernel can hold; anything below is a mistake. */
    private static final Limits SMALLEST = new Limits(
            new TimeSpan(Duration.ofMillis(1)),
            new TimeSpan(Duration.ofMillis(1)),
            new CpuQuota(10),
            new TimeSpan(Duration.ofMillis(1)),
            ByteSize.ofMebibytes(6),
            1,
            new ByteSize(4096),
            new ByteSize(1),
            1,
            new ByteSize(1));

    private static final BigDecimal CPU_TIME_MARGIN = new BigDecimal("1.1");

    private final Limits defaults;
    private final Limits ceiling;

    private LimitPolicy(Limits defaults, Limits ceiling) {
        this.defaults = defaults;
        this.ceiling = ceiling;
    }

    /** What comes of a request: limits, or everything wrong with it. */
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
        Limits ceiling =
                read(limits.getConfig("ceiling"), value(limits.getConfig("ceiling"), "cpuTime", TimeSpan::parse));
        Limits defaults = read(limits.getConfig("default"), ceiling.cpuTime());
        LimitPolicy policy = new LimitPolicy(defaults, ceiling);
        if (policy.decide(asRequest(ceiling)) instanceof Verdict.Refused refused) {
            throw mistake("ceiling", refused.errors().get(0));
        }
        if (policy.decide(asRequest(defaults)) instanceof Verdict.Refused refused) {
            throw mistake("default", refused.errors().get(0));
        }
        return policy;
    }

    Limits defaults() {
        return defaults;
    }

    /** The limits of a run that asked for these. */
    Verdict decide(LimitRequest asked) {
        Checks checks = new Checks();
        TimeSpan wallClock = checks.within("wallClock", asked.wallClock(), Limits::wallClock);
        TimeSpan idle = checks.within("idle", asked.idle(), Limits::idle);
        CpuQuota cpu = checks.within("cpu", asked.cpu(), Limits::cpu);
        Optional<TimeSpan> cpuTime = asked.cpuTime().or(() -> Optional.of(cpuTime(wallClock, cpu)));
        Limits granted = new Limits(
                wallClock,
                idle,
                cpu,
                checks.within("cpuTime", cpuTime, Limits::cpuTime),
                checks.within("memory", asked.memory(), Limits::memory),
                Math.toIntExact(checks.within("pids", asked.pids(), limits -> (long) limits.pids())),
                checks.within("disk", asked.disk(), Limits::disk),
                checks.within("output", asked.output(), Limits::output),
                checks.within("egressRequests", asked.egressRequests(), Limits::egressRequests),
                checks.within("egressBytes", asked.egressBytes(), Limits::egressBytes));
        return checks.errors.isEmpty() ? new Verdict.Granted(granted) : new Verdict.Refused(List.copyOf(checks.errors));
    }

    /** What the kernel lets a sandbox use until its wall clock ends it, a tenth and a second more; in whole seconds. */
    private TimeSpan cpuTime(TimeSpan wallClock, CpuQuota cpu) {
        long seconds = BigDecimal.valueOf(wallClock.millis())
                .multiply(BigDecimal.valueOf(cpu.millicores()))
                .multiply(CPU_TIME_MARGIN)
                .movePointLeft(6)
                .setScale(0, RoundingMode.CEILING)
                .longValueExact();
        TimeSpan unreachable = TimeSpan.ofSeconds(seconds + 1);
        return unreachable.compareTo(ceiling.cpuTime()) > 0 ? ceiling.cpuTime() : unreachable;
    }

    private final class Checks {
        private final List<FieldError> errors = new ArrayList<>();

        private <T extends Comparable<T>> T within(String name, Optional<T> asked, Function<Limits, T> limit) {
            if (asked.isEmpty()) {
                return limit.apply(defaults);
            }
            T smallest = limit.apply(SMALLEST);
            T largest = limit.apply(ceiling);
            if (asked.get().compareTo(smallest) < 0) {
                errors.add(new FieldError("limits." + name, "must be at least " + smallest));
                return smallest;
            }
            if (asked.get().compareTo(largest) > 0) {
                errors.add(new FieldError(
                        "limits." + name,
                        "must be at most " + largest + ", the ceiling that this node's operator set"));
                return largest;
            }
            return asked.get();
        }
    }

    private static Limits read(Config of, TimeSpan cpuTime) {
        return new Limits(
                value(of, "wallClock", TimeSpan::parse),
                value(of, "idle", TimeSpan::parse),
                value(of, "cpu", CpuQuota::parse),
                cpuTime,
                value(of, "memory", ByteSize::parse),
                of.getInt("pids"),
                value(of, "disk", ByteSize::parse),
                value(of, "output", ByteSize::parse),
                of.getLong("egressRequests"),
                value(of, "egressBytes", ByteSize::parse));
    }

    private static <T> T value(Config block, String key, Function<String, T> parse) {
        try {
            return parse.apply(block.getString(key));
        } catch (IllegalArgumentException wrong) {
            throw new ConfigException.BadValue(block.getValue(key).origin(), key, String.valueOf(wrong.getMessage()));
        }
    }

    private static LimitRequest asRequest(Limits limits) {
        return new LimitRequest(
                Optional.of(limits.wallClock()),
                Optional.of(limits.idle()),
                Optional.of(limits.cpu()),
                Optional.of(limits.cpuTime()),
                Optional.of(limits.memory()),
                Optional.of((long) limits.pids()),
                Optional.of(limits.disk()),
                Optional.of(limits.output()),
                Optional.of(limits.egressRequests()),
                Optional.of(limits.egressBytes()));
    }

    private static ConfigException mistake(String block, FieldError error) {
        String key = "vivarium.limits." + block + error.field().substring("limits".length());
        return new ConfigException.BadValue(key, error.message());
    }
}
