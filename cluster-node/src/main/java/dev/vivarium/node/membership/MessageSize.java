package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Map;

/**
 * How large a message between nodes may be. Artery drops larger ones, and a submission, or the answer to one, would then
 * never arrive; so the limit follows from that of submissions.
 */
public final class MessageSize {
    private static final String FRAME = "pekko.remote.artery.advanced.maximum-frame-size";

    /** An answer holds what was submitted and what has become of it: sentences that quote the command, refused destinations. */
    private static final int ANSWER_FACTOR = 2;

    private MessageSize() {}

    /** The layer of configuration that lets every message through that admission can cause. */
    public static Config layer(Config config) {
        long frame = ANSWER_FACTOR * config.getBytes("vivarium.admission.max-spec");
        return frame <= config.getBytes(FRAME)
                ? ConfigFactory.empty()
                : ConfigFactory.parseMap(Map.of(FRAME, frame + "b"), "vivarium.admission.max-spec");
    }
}
