package dev.vivarium.node.network;

import dev.vivarium.node.network.Attachments.Attachment;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures the sandboxes' network use: the kernel's counts by address and link as of the last count, and the current
 * counts of resolver and gateway. Thread-safe; counting blocks.
 */
final class EgressMeter {
    private static final Logger LOG = LoggerFactory.getLogger(EgressMeter.class);

    private final NodeMark mark;
    private final PacketFilter filter;
    private final Attachments attachments;
    private final EgressCounts counts = new EgressCounts();
    private final Map<String, EgressUse.Traffic> traffic = new ConcurrentHashMap<>();
    /** What the links had carried at the last count. */
    private Map<Attachment, EgressUse.Traffic> counted = Map.of();

    private volatile PacketFilter.Counts kernel = PacketFilter.Counts.NOTHING;

    EgressMeter(NodeMark mark, PacketFilter filter, Attachments attachments) {
        this.mark = mark;
        this.filter = filter;
        this.attachments = attachments;
    }

    EgressLedger ledger() {
        return counts;
    }

    void begin(Attachment sandbox) {
        counts.begin(sandbox.sandbox());
    }

    void forget(Attachment sandbox) {
        counts.forget(sandbox.sandbox());
        traffic.remove(sandbox.address());
    }

    /** As of the last count. */
    EgressUse use(Attachment sandbox) {
        return kernel.of(sandbox.address())
                .plus(counts.of(sandbox.sandbox()))
                .use(traffic.getOrDefault(sandbox.address(), EgressUse.Traffic.NOTHING));
    }

    /** The use of a sandbox whose link is silent: the kernel has nothing to count. */
    EgressUse useOfSilent(Attachment sandbox) {
        return counts.of(sandbox.sandbox()).use(EgressUse.Traffic.NOTHING);
    }

    /**
     * Reads the kernel's short lists, if the links have carried anything since the last time; the destinations of connections
     * stay as of the last full count.
     */
    synchronized void count() {
        if (attachments.isEmpty()) {
            return;
        }
        try {
            Map<Attachment, EgressUse.Traffic> now = countTraffic();
            if (now.equals(counted)) {
                return;
            }
            Map<String, Long> refused = filter.counted(RuleSet.REFUSED);
            kernel = new PacketFilter.Counts(
                    filter.counted(RuleSet.OPENED),
                    refused,
                    refused.equals(kernel.refused()) ? kernel.denied() : filter.denied(),
                    kernel.reached());
            counted = now;
        } catch (IOException unanswered) {
            warnUncounted(unanswered);
        }
    }

    /**
     * Called less often than {@link #count}, and reads everything with one program, since the end of a sandbox waits
     * for it.
     */
    synchronized void countAll() {
        try {
            countTraffic();
            kernel = filter.all();
        } catch (IOException unanswered) {
            warnUncounted(unanswered);
        }
    }

    /** The kernel forgets a link with its sandbox, so the last counts are kept. */
    private Map<Attachment, EgressUse.Traffic> countTraffic() throws IOException {
        Map<String, EgressUse.Traffic> byLink = Links.traffic(mark);
        Map<Attachment, EgressUse.Traffic> now = new HashMap<>();
        for (Attachment sandbox : attachments.all()) {
            EgressUse.Traffic seen = byLink.get(sandbox.link());
            if (seen != null) {
                traffic.put(sandbox.address(), seen);
                now.put(sandbox, seen);
            }
        }
        return now;
    }

    private static void warnUncounted(IOException unanswered) {
        LOG.warn("What sandboxes did with their network cannot be counted: {}", unanswered.getMessage());
    }
}
