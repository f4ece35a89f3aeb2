package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.util.Locale;
import java.util.Random;

/**
 * What a client asks for: one run, and how the client goes about it. A pure function of the seed, the client and its
 * step.
 *
 * @param key the idempotency key, which is also the run's label
 * @param kind what the agent does
 * @param ticks how often the agent says that it lives
 * @param everyMillis the time between two of them
 * @param policy what happens to it when its node is lost
 * @param maxAttempts how many attempts it may have
 * @param manner how the client submits it
 * @param cancelAfter when the client asks it to stop, in the kind that is cancelled
 * @param pause what the client waits before it begins
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
        Duration pause) {
    /** The agent's exit code where it is to fail. */
    public static final int EXIT_OF_FAILING = 7;
    /** The wall clock of what is to be killed by it. */
    public static final Duration WALL_CLOCK = Duration.ofSeconds(4);

    private static final int TICKS_OF_ENDLESS = 100_000;

    /** What agents do. */
    public enum Kind {
        /** Ends in a second. */
        QUICK,
        /** Works long enough to be hit. */
        STEADY,
        /** Ends with an exit code of its own. */
        FAILING,
        /** Never ends, until it is asked to. */
        CANCELLED,
        /** Never ends, until its time is over. */
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
        /** Once, and again only when there was no answer or a refusal. */
        PLAIN,
        /** Twice at the same time, to two nodes. */
        TWICE,
        /** Once more when it has been accepted. */
        AGAIN
    }

    /** What the client does in this step. */
    public static Task of(long seed, int client, int step) {
        Random random = new Random(seed * 1_000_003L + client * 8_191L + step);
        Kind kind = kind(random.nextInt(10));
        Policy policy = random.nextInt(4) == 0 ? Policy.FAIL : Policy.RESTART;
        int maxAttempts = 2 + random.nextInt(4);
        Manner manner = manner(random.nextInt(4));
        int steady = 30 + random.nextInt(70);
        int cancelMillis = random.nextInt(12_000);
        int pauseMillis = random.nextInt(1_500);
        return new Task(
                "s" + seed + "-c" + client + "-" + step,
                kind,
                ticks(kind, steady),
                200,
                policy,
                maxAttempts,
                manner,
                Duration.ofMillis(cancelMillis),
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

    /** What the agent's process exits with when it is let. */
    public int exitCode() {
        return kind == Kind.FAILING ? EXIT_OF_FAILING : 0;
    }
}
