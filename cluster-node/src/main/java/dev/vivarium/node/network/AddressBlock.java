package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.json.PlainJson;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * A node's block of addresses: one for each sandbox, and the node's own towards them. A returned address is reused as
 * late as possible, so that a sandbox is not mistaken for the previous holder. Thread-safe.
 */
final class AddressBlock {
    /**
     * A block has room for more sandboxes than a node can hold, and 198.18.0.0/15 has blocks for 128 nodes on a
     * machine.
     */
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
     * Finds an unused block of the pool on this machine, starting at the one derived from the mark.
     *
     * @throws IOException with the end of a sentence, when all are in use
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

    /** This machine's routes, except the default route and those left by an earlier incarnation of this node. */
    private static List<Ipv4Block> routes(String ownInterface) throws IOException {
        List<Ipv4Block> routes = new ArrayList<>();
        JsonNode listed =
                PlainJson.MAPPER.readTree(KernelCommand.run("", "ip", "-j", "-4", "route", "show", "table", "all"));
        for (JsonNode route : listed) {
            String destination = route.path("dst").asText();
            if (!destination.equals("default") && !route.path("dev").asText().startsWith(ownInterface)) {
                routes.add(Ipv4Block.parse(destination));
            }
        }
        return routes;
    }

    /** The block that contains a node's own address. */
    static Ipv4Block of(String own) {
        return new Ipv4Block(Ipv4Block.parse(own).network() & -SIZE, PREFIX_LENGTH);
    }

    /** The block as a CIDR. */
    String cidr() {
        return block.toString();
    }

    /** The node's own address. */
    String own() {
        return at(OWN_OFFSET);
    }

    /** Takes a free address; empty when all are taken. */
    synchronized Optional<String> take() {
        return Optional.ofNullable(free.poll()).map(this::at);
    }

    synchronized void giveBack(String address) {
        free.add(offset(address));
    }

    /** The index of the address within the block. */
    int offset(String address) {
        return Ipv4Block.parse(address).network() - block.network();
    }

    private String at(int offset) {
        return Ipv4Block.ofAddress(block.network() + offset).toString();
    }
}
