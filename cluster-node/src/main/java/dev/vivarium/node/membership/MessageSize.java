package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Map;

/**
 * The largest message between nodes. Artery drops larger ones, and a submission or its answer would never arrive; so
 * the size follows from the limit on submissions.
 */
public final class MessageSize {
    private static final String FRAME = "pekko.remote.artery.advanced.maximum-frame-size";

    /**
     * An answer contains the submission and its results, such as messages that quote the command and refused
     * destinations.
     */
    private static final int ANSWER_FACTOR = 2;

    private MessageSize() {}

    /** The layer of configuration that admits every message that admission can cause. */
    public static Config layer(Config config) {
        long frame = ANSWER_FACTOR * config.getBytes("vivarium.admission.max-spec");
        return frame <= config.getBytes(FRAME)
                ? ConfigFactory.empty()
                : ConfigFactory.parseMap(Map.of(FRAME, frame + "b"), "vivarium.admission.max-spec");
    }
}
