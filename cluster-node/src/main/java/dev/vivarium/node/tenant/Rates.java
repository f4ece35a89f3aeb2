package dev.vivarium.node.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.auth.Tenant;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * How fast tenants may ask this node: a bucket of tokens for each tenant and quota of a rate, which holds what the quota
 * allows in a second and fills at that rate. Each node counts by itself, so a cluster lets through as many times the rate as
 * it has nodes that a tenant asks. Thread-safe.
 */
public final class Rates {
    /** A bucket that was not used for a second is full, so that forgetting it changes nothing. */
    private static final Duration KEPT = Duration.ofSeconds(10);

    /** Beyond so many tenants at a time, buckets are forgotten early, and their tenants may ask a little more. */
    private static final int BUCKETS_MAX = 10_000;

    /** When to ask again where nothing is allowed at all. */
    private static final Duration NEVER = Duration.ofMinutes(1);

    private final Function<Tenant, Quotas> quotas;
    private final TimeMeter time;
    private final Cache<Key, Bucket> buckets = Caffeine.newBuilder()
            .maximumSize(BUCKETS_MAX)
            .expireAfterAccess(KEPT)
            .build();

    /** A changed quota begins with another bucket. */
    private record Key(Tenant tenant, Counted what, long limit) {}

    private enum Counted {
        SUBMISSIONS,
        READS,
        /** Submissions over the quota that may be repetitions. */
        LOOK_UPS
    }

    /** Whether a bucket has enough for one more, what it has left, and until when it lacks it. */
    private record Fill(boolean suffices, long left, long nanosToWait) {}

    /**
     * That a tenant asks too fast.
     *
     * @param after when it may ask again, more than 0
     */
    public record TooFast(QuotaExcess excess, Duration after) {}

    /**
     * @param quotas a tenant's quotas
     * @param nanos a monotonic clock in nanoseconds
     */
    public Rates(Function<Tenant, Quotas> quotas, LongSupplier nanos) {
        this.quotas = quotas;
        this.time = new TimeMeter() {
            @Override
            public long currentTimeNanos() {
                return nanos.getAsLong();
            }

            @Override
            public boolean isWallClockBased() {
                return false;
            }
        };
    }

    /** Counts one more submission or read; answers with the quota if that is too many, and then counts nothing. */
    public Optional<TooFast> ask(Tenant tenant, Quota rate) {
        return judge(tenant, rate, bucket -> {
            ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
            return new Fill(probe.isConsumed(), probe.getRemainingTokens(), probe.getNanosToWaitForRefill());
        });
    }

    /** Whether one more submission would be too many now. Counts nothing. */
    public Optional<TooFast> look(Tenant tenant) {
        return judge(tenant, Quota.SUBMISSIONS, bucket -> {
            EstimationProbe probe = bucket.estimateAbilityToConsume(1);
            return new Fill(probe.canBeConsumed(), probe.getRemainingTokens(), probe.getNanosToWaitForRefill());
        });
    }

    private Optional<TooFast> judge(Tenant tenant, Quota rate, Function<Bucket, Fill> look) {
        long limit = quotas.apply(tenant).of(rate);
        if (limit == Quota.UNLIMITED) {
            return Optional.empty();
        }
        if (limit == 0) {
            return Optional.of(new TooFast(new QuotaExcess(tenant, rate, 0, 0, 1), NEVER));
        }
        Counted what = rate == Quota.READS ? Counted.READS : Counted.SUBMISSIONS;
        Fill fill = look.apply(bucket(tenant, what, limit));
        return fill.suffices
                ? Optional.empty()
                : Optional.of(new TooFast(
                        new QuotaExcess(tenant, rate, limit, limit - fill.left, 1),
                        Duration.ofNanos(Math.max(1, fill.nanosToWait))));
    }

    /**
     * The same for a submission that may be the repetition of an accepted one, which no quota refuses. To find that out costs
     * the store a claim and a look, so over its quota a tenant has as many of those as its quota says, and one at least.
     */
    public Optional<TooFast> lookUp(Tenant tenant) {
        return look(tenant).filter(fast -> !bucket(
                        tenant, Counted.LOOK_UPS, Math.max(1, fast.excess().limit()))
                .tryConsume(1));
    }

    private Bucket bucket(Tenant tenant, Counted what, long limit) {
        return buckets.get(new Key(tenant, what, limit), this::bucket);
    }

    private Bucket bucket(Key key) {
        return Bucket.builder()
                .addLimit(limit -> limit.capacity(key.limit).refillGreedy(key.limit, Duration.ofSeconds(1)))
                .withCustomTimePrecision(time)
                .build();
    }
}
