package dev.vivarium.node.assembly;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import dev.vivarium.node.admission.NearestName;
import java.util.Map;
import java.util.Optional;

/**
 * The keys below {@code vivarium}, those of reference.conf. Unknown keys are rejected, since a misspelled one would
 * silently leave a default in place.
 */
final class ConfigKeys {
    private static final String ROOT = "vivarium";

    private ConfigKeys() {}

    /**
     * A sentence for the operator about an unknown key.
     *
     * @param given the operator's settings
     * @param reference every key with its default
     */
    static Optional<String> objectionTo(Config given, Config reference) {
        if (!given.hasPath(ROOT) || !(given.root().get(ROOT) instanceof ConfigObject set)) {
            return Optional.empty();
        }
        return unknown(ROOT, set, reference.getObject(ROOT));
    }

    /** The keys of a block that is empty in the reference are names of the operator's. */
    private static Optional<String> unknown(String path, ConfigObject set, ConfigObject known) {
        if (known.isEmpty()) {
            return Optional.empty();
        }
        for (Map.Entry<String, ConfigValue> entry : set.entrySet()) {
            String key = path + "." + entry.getKey();
            ConfigValue there = known.get(entry.getKey());
            if (there == null) {
                String hint = NearestName.to(entry.getKey(), known.keySet())
                        .map(name -> "; did you mean " + path + "." + name + "?")
                        .orElse("; reference.conf lists all keys.");
                return Optional.of("There is no key " + key + " (" + where(entry.getValue()) + ")" + hint);
            }
            if (there instanceof ConfigObject below && entry.getValue() instanceof ConfigObject inner) {
                Optional<String> objection = unknown(key, inner, below);
                if (objection.isPresent()) {
                    return objection;
                }
            }
        }
        return Optional.empty();
    }

    private static String where(ConfigValue value) {
        return value.origin().description();
    }
}
