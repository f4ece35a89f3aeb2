package dev.vivarium.node.access;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.certificates.Subject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The block {@code vivarium.http.tls.callers} of the configuration; see reference.conf.
 *
 * @param authority a PEM file with the authorities whose certificates callers may present
 * @param revoked a PEM file with the lists of what they have revoked; empty if there is none
 * @param principal the attribute of the subject that names the caller
 * @param rules the first that applies to a subject decides
 */
public record CallerSettings(Path authority, Optional<Path> revoked, String principal, List<RoleRule> rules) {
    private static final String BLOCK = "vivarium.http.tls.callers";

    /**
     * Reads the settings; empty where callers present no certificates.
     *
     * @throws ConfigException with a sentence for the operator
     */
    public static Optional<CallerSettings> from(Config callers) {
        String authority = callers.getString("authority");
        String revoked = callers.getString("revoked");
        List<RoleRule> rules = callers.getConfigList("rules").stream()
                .map(rule -> RoleRule.from(rule, BLOCK, RoleRule.Statement.ATTRIBUTE))
                .toList();
        String principal = callers.getString("principal");
        requireAttribute("principal", principal);
        rules.forEach(rule -> rule.statements().forEach(name -> requireAttribute("rules", name)));
        if (authority.isBlank()) {
            if (!rules.isEmpty() || !revoked.isBlank()) {
                throw bad("authority", "must name the PEM file of the authority that issues callers' certificates");
            }
            return Optional.empty();
        }
        if (rules.isEmpty()) {
            throw bad("rules", "must have a rule, or certificates of callers are of no use");
        }
        return Optional.of(new CallerSettings(
                Path.of(authority),
                Optional.of(revoked).filter(file -> !file.isBlank()).map(Path::of),
                principal,
                rules));
    }

    private static void requireAttribute(String key, String name) {
        if (!Subject.isAttribute(name)) {
            throw bad(
                    key,
                    "names the attribute " + name.toUpperCase(Locale.ROOT) + ", and those of a subject are "
                            + Subject.names() + " (in capitals)");
        }
    }

    private static ConfigException bad(String key, String why) {
        return new ConfigException.BadValue(BLOCK, key + " " + why);
    }
}
