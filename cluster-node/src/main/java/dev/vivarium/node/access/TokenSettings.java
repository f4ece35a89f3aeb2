package dev.vivarium.node.access;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.time.Duration;

/**
 * The block {@code vivarium.tokens} of the configuration; see reference.conf.
 *
 * @param lifeDefault how long a token holds that does not say
 * @param lifeMax the longest that a token may hold
 * @param countMax how many tokens an installation may have
 * @param cached how long a node relies on what it has read of a token: the time within which a revocation holds everywhere
 * @param kept how long a token that has ended is listed
 */
public record TokenSettings(Duration lifeDefault, Duration lifeMax, int countMax, Duration cached, Duration kept) {
    private static final Duration CACHED_MAX = Duration.ofSeconds(30);

    /**
     * Reads the settings.
     *
     * @throws ConfigException when a key is missing or wrong
     */
    public static TokenSettings from(Config tokens) {
        TokenSettings settings = new TokenSettings(
                tokens.getDuration("life-default"),
                tokens.getDuration("life-max"),
                tokens.getInt("count-max"),
                tokens.getDuration("cache"),
                tokens.getDuration("kept"));
        if (settings.lifeDefault.compareTo(settings.lifeMax) > 0) {
            throw new ConfigException.BadValue("vivarium.tokens.life-default", "must be at most life-max");
        }
        if (settings.cached.compareTo(CACHED_MAX) > 0) {
            throw new ConfigException.BadValue(
                    "vivarium.tokens.cache", "must be at most 30s, or revoked tokens hold for long");
        }
        return settings;
    }
}
