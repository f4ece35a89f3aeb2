package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.SecretName;
import java.util.Map;

/**
 * The secrets of a submission, by the variable that each is for.
 *
 * @param own values that it has, in clear text
 * @param named secrets of the tenant that it names
 */
record RequestedSecrets(Map<String, Secret> own, Map<String, SecretName> named) {
    /** The most secrets of the tenant that one run may name. */
    static final int NAMED_MAX = 64;
}
