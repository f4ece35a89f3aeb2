package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.json.PlainJson;
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
 * Leftovers of killed nodes in this machine's kernel. They do no harm, but would stay forever if the node never
 * returned. They are removed once none of the node's sandboxes has a link.
 */
final class DeadNodes {
    private static final Logger LOG = LoggerFactory.getLogger(DeadNodes.class);
    private static final Pattern TABLE = Pattern.compile("vivarium_([0-9a-f]{6})");

    private DeadNodes() {}

    /** Sweeps for all nodes but this one. What cannot be removed is tried again at the next start. */
    static void sweep(NodeMark own) throws IOException {
        Set<NodeMark> marks = new HashSet<>(Links.nodes());
        marks.addAll(tables());
        marks.remove(own);
        marks.forEach(DeadNodes::sweepOne);
    }

    private static List<NodeMark> tables() throws IOException {
        JsonNode tables = PlainJson.MAPPER.readTree(KernelCommand.run("", "nft", "-j", "list", "tables"));
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
                Optional<String> own = Links.address(dead.ownInterface());
                Links.remove(dead.ownInterface());
                // The filter goes last, when nothing needs it any more. A reload of the machine's packet filter may
                // have removed it already.
                KernelCommand.run(RuleSet.removal(dead), "nft", "-f", "-");
                if (own.isPresent()) {
                    RoutingGuard.remove(AddressBlock.of(own.get()));
                }
                LOG.info("Swept the packet filter of a node that is no more: {}", dead.table());
            }
        } catch (IOException failed) {
            LOG.warn("The packet filter {} of a node that is no more stays: {}", dead.table(), failed.getMessage());
        }
    }
}
