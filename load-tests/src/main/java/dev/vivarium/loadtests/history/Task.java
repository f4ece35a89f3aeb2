package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.util.Locale;
import java.util.Random;

/**
 * One run and how a client submits it. A pure function of the seed, the client and its step.
 *
 * @param key the idempotency key, which is also the run's label
 * @param kind what the agent does
 * @param ticks the number of the agent's heartbeats
 * @param everyMillis the time between two of them
 * @param policy what happens when its node is lost
 * @param maxAttempts the most attempts
 * @param manner how the client submits it
 * @param cancelAfter when the client cancels it, for the kind that is cancelled
 * @param renewAfter when the client renews it, about its deadline, for the kind that its time limit ends
 * @param pause the client's pause before it
 */
public record Task(
        String key,
        Kind kind,
        int ticks,
        int everyMillis,
        Policy policy,
        int maxAttempts,
        Manner manner,
        Duration cancelAfter,
        Duration renewAfter,
        Duration pause) {
    /** The exit code of an agent that fails. */
    public static final int EXIT_OF_FAILING = 7;
    /** The wall clock limit of runs that it ends. */
    public static final Duration WALL_CLOCK = Duration.ofSeconds(4);
    /** The wall clock limit that they are renewed to. */
    public static final Duration RENEWED_WALL_CLOCK = Duration.ofSeconds(7);

    /** How long before and after its deadline a run is renewed, counted from its submission. */
    private static final int RENEWAL_SPREAD_MILLIS = 500;

    private static final int TICKS_OF_ENDLESS = 100_000;

    /** What agents do. */
    public enum Kind {
        /** Ends in a second. */
        QUICK,
        /** Runs long enough to be hit by a fault. */
        STEADY,
        /** Exits with {@link #EXIT_OF_FAILING}. */
        FAILING,
        /** Never ends until it is cancelled. */
        CANCELLED,
        /** Never ends until its time limit. */
        TIMED
    }

    /** What happens when the node is lost. */
    public enum Policy {
        RESTART,
        FAIL;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How clients submit. */
    public enum Manner {
        /** Once, with retries only after no answer or a refusal. */
        PLAIN,
        /** Twice concurrently, to two nodes. */
        TWICE,
        /** Again after it was accepted. */
        AGAIN
    }

    /** The client's task in this step. */
    public static Task of(long seed, int client, int step) {
        Random random = new Random(seed * 1_000_003L + client * 8_191L + step);
        Kind kind = kind(random.nextInt(10));
        Policy policy = random.nextInt(4) == 0 ? Policy.FAIL : Policy.RESTART;
        int maxAttempts = 2 + random.nextInt(4);
        Manner manner = manner(random.nextInt(4));
        int steady = 30 + random.nextInt(70);
        int cancelMillis = random.nextInt(12_000);
        int pauseMillis = random.nextInt(1_500);
        int renewalMillis = random.nextInt(2 * RENEWAL_SPREAD_MILLIS) - RENEWAL_SPREAD_MILLIS;
        return new Task(
                "s" + seed + "-c" + client + "-" + step,
                kind,
                ticks(kind, steady),
                200,
                policy,
                maxAttempts,
                manner,
                Duration.ofMillis(cancelMillis),
                WALL_CLOCK.plusMillis(renewalMillis),
                Duration.ofMillis(pauseMillis));
    }

    private static Kind kind(int drawn) {
        if (drawn < 2) {
            return Kind.QUICK;
        }
        if (drawn < 7) {
            return Kind.STEADY;
        }
        return drawn == 7 ? Kind.FAILING : drawn == 8 ? Kind.CANCELLED : Kind.TIMED;
    }

    private static Manner manner(int drawn) {
        return drawn < 2 ? Manner.PLAIN : drawn == 2 ? Manner.TWICE : Manner.AGAIN;
    }

    private static int ticks(Kind kind, int steady) {
        return switch (kind) {
            case QUICK -> 4;
            case STEADY -> steady;
            case FAILING -> 10;
            case CANCELLED, TIMED -> TICKS_OF_ENDLESS;
        };
    }

    /** The agent's exit code, if it is not interrupted. */
    public int exitCode() {
        return kind == Kind.FAILING ? EXIT_OF_FAILING : 0;
    }
}
