package dev.vivarium.node.access.oidc;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The block {@code vivarium.oidc} of the configuration; see reference.conf.
 *
 * @param issuers whose tokens are accepted
 * @param clockSkew how far the issuer's clock may be off
 * @param fetchTimeout how long the issuer may take to answer
 * @param refresh how old its keys may be before they are read again
 * @param fetchPause how long after a reading another one begins at the earliest
 * @param keep how long keys are used that cannot be read again
 */
public record OidcSettings(
        List<IssuerSettings> issuers,
        Duration clockSkew,
        Duration fetchTimeout,
        Duration refresh,
        Duration fetchPause,
        Duration keep) {
    private static final Duration SKEW_MAX = Duration.ofMinutes(5);

    /**
     * Reads the settings.
     *
     * @throws ConfigException when a key is missing or wrong
     */
    public static OidcSettings from(Config oidc) {
        OidcSettings settings = new OidcSettings(
                oidc.getConfigList("issuers").stream().map(IssuerSettings::from).toList(),
                oidc.getDuration("clock-skew"),
                oidc.getDuration("fetch-timeout"),
                oidc.getDuration("refresh"),
                oidc.getDuration("fetch-pause"),
                oidc.getDuration("keep"));
        if (settings.clockSkew.compareTo(SKEW_MAX) > 0) {
            throw new ConfigException.BadValue(
                    "vivarium.oidc.clock-skew", "must be at most 5m, or expired tokens hold for long");
        }
        Set<String> names = new HashSet<>();
        Set<URI> addresses = new HashSet<>();
        for (IssuerSettings issuer : settings.issuers) {
            if (!names.add(issuer.name()) || !addresses.add(issuer.issuer())) {
                throw new ConfigException.BadValue(
                        "vivarium.oidc.issuers", issuer.name() + " is there twice, by its name or its address");
            }
        }
        return settings;
    }
}
