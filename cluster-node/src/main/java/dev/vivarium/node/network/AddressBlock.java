package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The addresses that a node gives to its sandboxes, and the one by which they reach the node. An address that comes back is
 * given again as late as possible, so that nobody is taken for whoever had it before. Safe for use by any thread.
 */
final class AddressBlock {
    /** A block is as many sandboxes as a node could hold, and few enough for 128 nodes of a machine in 198.18.0.0/15. */
    static final int PREFIX_LENGTH = 22;

    private static final int SIZE = 1 << (Integer.SIZE - PREFIX_LENGTH);
    private static final int OWN_OFFSET = 1;

    private final Ipv4Block block;
    private final Deque<Integer> free = new ArrayDeque<>();

    AddressBlock(Ipv4Block block) {
        this.block = block;
        for (int offset = OWN_OFFSET + 1; offset < SIZE - 1; offset++) {
            free.add(offset);
        }
    }

    /**
     * A block of the pool that nobody on this machine uses: that which the mark gives, or one after it.
     *
     * @throws IOException with the end of a sentence, when there is none
     */
    static AddressBlock in(Ipv4Block pool, NodeMark mark) throws IOException {
        List<Ipv4Block> used = routes(mark.ownInterface());
        int blocks = 1 << (PREFIX_LENGTH - pool.prefixLength());
        for (int tried = 0; tried < blocks; tried++) {
            int index = (mark.number() + tried) % blocks;
            Ipv4Block block = new Ipv4Block(pool.network() + index * SIZE, PREFIX_LENGTH);
            if (used.stream().noneMatch(other -> other.contains(block) || block.contains(other))) {
                return new AddressBlock(block);
            }
        }
        throw new IOException(
                "every block of vivarium.egress.addresses is in use on this machine; name another range.");
    }

    /** What this machine has routes to, the default one aside, and those of an earlier life of this node. */
    private static List<Ipv4Block> routes(String ownInterface) throws IOException {
        List<Ipv4Block> routes = new ArrayList<>();
        JsonNode told =
                new ObjectMapper().readTree(KernelCommand.run("", "ip", "-j", "-4", "route", "show", "table", "all"));
        for (JsonNode route : told) {
            String destination = route.path("dst").asText();
            if (!destination.equals("default") && !route.path("dev").asText().startsWith(ownInterface)) {
                routes.add(Ipv4Block.parse(destination));
            }
        }
        return routes;
    }

    /** All of them, as a CIDR. */
    String cidr() {
        return block.toString();
    }

    /** The node's own. */
    String own() {
        return at(OWN_OFFSET);
    }

    /** One that nobody has; empty when all are taken. */
    synchronized Optional<String> take() {
        return Optional.ofNullable(free.poll()).map(this::at);
    }

    synchronized void giveBack(String address) {
        free.add(offset(address));
    }

    /** Which of the block's addresses it is. */
    int offset(String address) {
        return Ipv4Block.parse(address).network() - block.network();
    }

    private String at(int offset) {
        return Ipv4Block.ofAddress(block.network() + offset).toString();
    }
}
