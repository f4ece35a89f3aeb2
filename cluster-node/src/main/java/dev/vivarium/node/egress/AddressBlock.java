package dev.vivarium.node.egress;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * The addresses that a node gives to its sandboxes, and the one by which they reach the node. An address that comes back is
 * given again as late as possible, so that nobody is taken for whoever had it before. Safe for use by any thread.
 */
final class AddressBlock {
    /** Addresses in a block: as many sandboxes as a node could hold, and few enough for 512 nodes in 198.18.0.0/15. */
    static final int SIZE = 1 << 10;

    static final int PREFIX_BITS = 22;
    private static final int BYTE = 0xff;

    private final int base;
    private final Deque<Integer> free = new ArrayDeque<>();

    /**
     * @param pool the first address of the pool that blocks are cut from
     * @param index which of its blocks
     */
    AddressBlock(int pool, int index) {
        this.base = pool + index * SIZE;
        for (int offset = 2; offset < SIZE - 1; offset++) {
            free.add(offset);
        }
    }

    /** The block in CIDR notation. */
    String cidr() {
        return text(base) + "/" + PREFIX_BITS;
    }

    /** Its first and last address. */
    long first() {
        return Integer.toUnsignedLong(base);
    }

    long last() {
        return first() + SIZE - 1;
    }

    /** The node's own. */
    String own() {
        return text(base + 1);
    }

    /** One that nobody has; empty when all are taken. */
    synchronized Optional<String> take() {
        return Optional.ofNullable(free.poll()).map(offset -> text(base + offset));
    }

    synchronized void giveBack(String address) {
        free.add(bits(address) - base);
    }

    static String text(int bits) {
        return (bits >>> 24 & BYTE) + "." + (bits >>> 16 & BYTE) + "." + (bits >>> 8 & BYTE) + "." + (bits & BYTE);
    }

    /** The bits of an address in its usual form. */
    static int bits(String address) {
        int bits = 0;
        for (String part : address.split("\\.", -1)) {
            bits = bits << 8 | Integer.parseInt(part);
        }
        return bits;
    }
}
