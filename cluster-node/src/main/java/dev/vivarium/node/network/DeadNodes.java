package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What nodes that were killed have left in this machine's kernel. It holds nobody up, but a node that never comes back would
 * leave it for ever. It goes once none of its sandboxes has a link any more.
 */
final class DeadNodes {
    private static final Logger LOG = LoggerFactory.getLogger(DeadNodes.class);
    private static final Pattern TABLE = Pattern.compile("vivarium_([0-9a-f]{6})");

    private DeadNodes() {}

    /** Sweeps for all nodes but this one. What cannot be swept stays for the next start. */
    static void sweep(NodeMark own) throws IOException {
        Set<NodeMark> marks = new HashSet<>(Links.nodes());
        marks.addAll(tables());
        marks.remove(own);
        marks.forEach(DeadNodes::sweepOne);
    }

    private static List<NodeMark> tables() throws IOException {
        JsonNode tables = new ObjectMapper().readTree(KernelCommand.run("", "nft", "-j", "list", "tables"));
        List<NodeMark> marks = new ArrayList<>();
        for (JsonNode part : tables.path("nftables")) {
            Matcher name = TABLE.matcher(part.path("table").path("name").asText());
            if (name.matches()) {
                marks.add(new NodeMark(name.group(1)));
            }
        }
        return marks;
    }

    private static void sweepOne(NodeMark dead) {
        try {
            Optional<NodeClaim> free = NodeClaim.of(dead);
            if (free.isEmpty()) {
                return;
            }
            NodeClaim claim = free.get();
            try (claim) {
                if (!Links.of(dead).isEmpty()) {
                    return;
                }
                EngineChain.forget(dead);
                Links.remove(dead.ownInterface());
                // The walls last, when nothing is left that they could be for. Whoever reloads the machine's filter may
                // have taken them already.
                KernelCommand.run(RuleSet.removal(dead), "nft", "-f", "-");
                LOG.info("Swept the packet filter of a node that is no more: {}", dead.table());
            }
        } catch (IOException failed) {
            LOG.warn("The packet filter {} of a node that is no more stays: {}", dead.table(), failed.getMessage());
        }
    }
}
