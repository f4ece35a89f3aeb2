package dev.vivarium.node.admission;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import java.util.Map;

/**
 * The operator's settings for submissions, besides limits.
 *
 * @param maxAttemptsDefault the default number of attempts
 * @param maxAttemptsCeiling the most attempts that a run may ask for
 * @param isolationDefault the default isolation
 * @param isolationMinimum the weakest isolation that a run may ask for
 * @param egressDefault the default egress mode
 * @param egressCeiling the widest egress mode that a run may ask for
 * @param maxBodyBytes the largest body
 * @param maxSpecBytes the largest submission without its files' contents
 */
public record AdmissionSettings(
        int maxAttemptsDefault,
        int maxAttemptsCeiling,
        Isolation isolationDefault,
        Isolation isolationMinimum,
        EgressPolicy.Mode egressDefault,
        EgressPolicy.Mode egressCeiling,
        int maxBodyBytes,
        long maxSpecBytes) {
    private static final long MAX_SPEC_BYTES_MIN = 64L << 10;
    private static final long MAX_SPEC_BYTES_MAX = 16L << 20;

    /** The isolation classes by the names that the API and the configuration give them. */
    static final Map<String, Isolation> ISOLATIONS =
            Map.of("container", Isolation.CONTAINER, "gvisor", Isolation.GVISOR, "microvm", Isolation.MICROVM);

    /** The egress modes by the names that the API and the configuration give them. */
    static final Map<String, EgressPolicy.Mode> EGRESS_MODES = Map.of(
            "none", EgressPolicy.Mode.NONE,
            "allowlist", EgressPolicy.Mode.ALLOWLIST,
            "public", EgressPolicy.Mode.PUBLIC);

    /**
     * Reads the settings.
     *
     * @param admission the block {@code vivarium.admission}
     * @throws ConfigException when a key is missing or wrong
     */
    public static AdmissionSettings from(Config admission, int maxBodyBytes) {
        int ceiling = admission.getInt("max-attempts.ceiling");
        int attempts = admission.getInt("max-attempts.default");
        if (attempts < 1 || attempts > ceiling) {
            throw new ConfigException.BadValue(
                    "vivarium.admission.max-attempts.default", "must be from 1 to the ceiling, " + ceiling);
        }
        Isolation isolation = isolation(admission, "isolation.default");
        Isolation minimum = isolation(admission, "isolation.minimum");
        if (isolation.compareTo(minimum) < 0) {
            throw new ConfigException.BadValue(
                    "vivarium.admission.isolation.default", "must not be weaker than isolation.minimum");
        }
        EgressPolicy.Mode egress = egress(admission, "egress.default");
        EgressPolicy.Mode widest = egress(admission, "egress.ceiling");
        return new AdmissionSettings(
                attempts,
                ceiling,
                isolation,
                minimum,
                egress.compareTo(widest) > 0 ? widest : egress,
                widest,
                maxBodyBytes,
                maxSpecBytes(admission));
    }

    private static long maxSpecBytes(Config admission) {
        long bytes = admission.getBytes("max-spec");
        if (bytes < MAX_SPEC_BYTES_MIN || bytes > MAX_SPEC_BYTES_MAX) {
            throw new ConfigException.BadValue("vivarium.admission.max-spec", "must be from 64KiB to 16MiB");
        }
        return bytes;
    }

    private static EgressPolicy.Mode egress(Config admission, String key) {
        EgressPolicy.Mode mode = EGRESS_MODES.get(admission.getString(key));
        if (mode == null) {
            throw new ConfigException.BadValue("vivarium.admission." + key, "must be none, allowlist or public");
        }
        return mode;
    }

    private static Isolation isolation(Config admission, String key) {
        Isolation isolation = ISOLATIONS.get(admission.getString(key));
        if (isolation == null) {
            throw new ConfigException.BadValue("vivarium.admission." + key, "must be container, gvisor or microvm");
        }
        return isolation;
    }
}
