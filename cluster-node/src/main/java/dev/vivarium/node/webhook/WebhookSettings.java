package dev.vivarium.node.webhook;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.persistence.store.WebhookStore.Progress;
import dev.vivarium.persistence.store.WebhookStore.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The block {@code vivarium.webhooks} of the configuration; see reference.conf.
 *
 * @param look how often the order of events is searched
 * @param answerMax how long an endpoint may take, from the look-up of its name to its answer's head
 * @param retryFirst the pause after the first failure; doubles with each further one
 * @param retryMax the longest pause
 * @param giveUpAfter for how long a message is tried
 * @param inFlightMax messages that are being sent at a time
 * @param inFlightOfTenant the same of one tenant
 * @param inFlightOfEndpoint the same to one host and port
 * @param pendingMax messages that wait
 * @param pendingOfTenant the same of one tenant
 */
public record WebhookSettings(
        Duration look,
        Duration answerMax,
        Duration retryFirst,
        Duration retryMax,
        Duration giveUpAfter,
        int inFlightMax,
        int inFlightOfTenant,
        int inFlightOfEndpoint,
        int pendingMax,
        int pendingOfTenant) {
    /** Part of a pause that is left to chance, so that messages that failed together do not come back together. */
    private static final double SPREAD = 0.2;

    private static final Duration LONGEST = Duration.ofDays(7);

    public WebhookSettings {
        requirePositive("look", look.toMillis());
        requirePositive("answer-max", answerMax.toMillis());
        requirePositive("retry.first", retryFirst.toMillis());
        requirePositive("in-flight-max", inFlightMax);
        requirePositive("in-flight-of-tenant", inFlightOfTenant);
        requirePositive("in-flight-of-endpoint", inFlightOfEndpoint);
        requirePositive("pending-max", pendingMax);
        requirePositive("pending-of-tenant", pendingOfTenant);
        if (retryMax.compareTo(retryFirst) < 0 || retryMax.compareTo(LONGEST) > 0) {
            throw wrong("retry.max", "must be from retry.first to 7d");
        }
        if (giveUpAfter.isNegative() || giveUpAfter.compareTo(LONGEST) > 0) {
            throw wrong("retry.give-up-after", "must be from 0s to 7d");
        }
    }

    /**
     * Reads the settings.
     *
     * @param webhooks the block {@code vivarium.webhooks}
     * @throws ConfigException when a key is missing or wrong, naming it
     */
    public static WebhookSettings from(Config webhooks) {
        return new WebhookSettings(
                webhooks.getDuration("look"),
                webhooks.getDuration("answer-max"),
                webhooks.getDuration("retry.first"),
                webhooks.getDuration("retry.max"),
                webhooks.getDuration("retry.give-up-after"),
                webhooks.getInt("in-flight-max"),
                webhooks.getInt("in-flight-of-tenant"),
                webhooks.getInt("in-flight-of-endpoint"),
                webhooks.getInt("pending-max"),
                webhooks.getInt("pending-of-tenant"));
    }

    private static void requirePositive(String key, long number) {
        if (number <= 0) {
            throw wrong(key, "must be above zero");
        }
    }

    private static ConfigException wrong(String key, String why) {
        return new ConfigException.BadValue("vivarium.webhooks." + key, why);
    }

    /**
     * How far a message is after it was sent once more.
     *
     * @param chance from 0 to 1
     */
    Progress after(Progress before, SendResult result, Instant now, double chance) {
        int attempts = before.attempts() + 1;
        Instant next = now.plus(pause(attempts, chance));
        State state =
                switch (result.kind()) {
                    case ACCEPTED -> State.DELIVERED;
                    case GONE -> State.GIVEN_UP;
                    case FAILED -> next.isAfter(before.queuedAt().plus(giveUpAfter)) ? State.GIVEN_UP : State.PENDING;
                };
        return new Progress(
                state,
                attempts,
                before.queuedAt(),
                state == State.PENDING ? next : before.nextAt(),
                Optional.of(now),
                Optional.of(result.answer()));
    }

    private Duration pause(int failures, double chance) {
        long longest = retryMax.toMillis();
        long millis = retryFirst.toMillis();
        for (int failure = 1; failure < failures && millis < longest; failure++) {
            millis *= 2;
        }
        return Duration.ofMillis(Math.max(1, Math.round(Math.min(millis, longest) * (1 - SPREAD * chance))));
    }
}
