package dev.vivarium.node.audit;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.api.AuditCheck;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/**
 * The block {@code vivarium.audit.check} of the configuration; see reference.conf.
 *
 * @param at the time of the day, in UTC, when the whole log is checked; empty when only an operator begins checks
 * @param eventsPerSecond how many events a check reads a second
 */
public record CheckSettings(Optional<LocalTime> at, int eventsPerSecond) {
    private static final int RATE_MAX = 1_000_000;

    /**
     * Reads the settings.
     *
     * @throws ConfigException when a key is missing or wrong
     */
    public static CheckSettings from(Config check) {
        int rate = check.getInt("events-per-second");
        if (rate < 1 || rate > RATE_MAX) {
            throw wrong(check, "events-per-second", "must be from 1 to " + RATE_MAX);
        }
        String at = check.getString("at");
        if (at.equals("off")) {
            return new CheckSettings(Optional.empty(), rate);
        }
        try {
            return new CheckSettings(Optional.of(LocalTime.parse(at)), rate);
        } catch (DateTimeParseException malformed) {
            throw wrong(check, "at", "must be a time of the day in UTC, such as 02:30, or off");
        }
    }

    private static ConfigException wrong(Config check, String key, String rule) {
        return new ConfigException.BadValue(check.getValue(key).origin(), "vivarium.audit.check." + key, rule);
    }

    /** Whether the day's check has not been done yet, or was cut off. */
    boolean isDue(Optional<AuditCheck.Report> last, Instant now) {
        if (at.isEmpty()) {
            return false;
        }
        Instant lastTime = before(at.get(), now);
        return last.filter(report ->
                        report.endedAt().isPresent() && !report.startedAt().isBefore(lastTime))
                .isEmpty();
    }

    private static Instant before(LocalTime time, Instant now) {
        ZonedDateTime today = now.atZone(ZoneOffset.UTC).with(time);
        return (today.toInstant().isAfter(now) ? today.minusDays(1) : today).toInstant();
    }
}
