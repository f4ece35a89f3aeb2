package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Memory in socket queues of a sandbox that no control group counts: netlink's and those of ICMP echo sockets. The
 * kernel counts all others that the system call filter allows. Measured on Linux 6.18: 48 MiB were queued within a
 * second, all uncounted.
 *
 * @param net the kernel's tables of the sandbox's network namespace: /proc/PID/net
 */
public record UncountedQueues(Path net) {
    /** How much of a table is read: enough for as many sockets as a program may have files open. */
    private static final int TABLE_BYTES_MAX = 512 << 10;
    /**
     * The kernel's default limit of a queue (net.core.rmem_default); assumed for sockets beyond the part that is read.
     */
    private static final long QUEUE_BYTES = 212_992;

    private static final int NETLINK_RECEIVED = 4;
    private static final int NETLINK_SENT = 5;
    private static final int DATAGRAM_QUEUES = 4;
    private static final int HEXADECIMAL = 16;

    /** The current memory in bytes; zero when the sandbox is gone. */
    public long bytes() {
        return netlinkBytes(table("netlink")) + datagramBytes(table("icmp")) + datagramBytes(table("icmp6"));
    }

    private String table(String name) {
        try (InputStream table = Files.newInputStream(net.resolve(name))) {
            return new String(table.readNBytes(TABLE_BYTES_MAX), StandardCharsets.US_ASCII);
        } catch (IOException gone) {
            return "";
        }
    }

    /**
     * The sum of the columns Rmem and Wmem. A truncated table has more sockets than any program needs; then each socket
     * that was read counts as full.
     */
    static long netlinkBytes(String table) {
        List<String> sockets = table.lines().skip(1).toList();
        if (table.length() == TABLE_BYTES_MAX) {
            return sockets.size() * QUEUE_BYTES;
        }
        return sockets.stream()
                .map(line -> line.strip().split("\\s+", -1))
                .filter(columns -> columns.length > NETLINK_SENT)
                .mapToLong(columns ->
                        CgroupFormat.number(columns[NETLINK_RECEIVED]) + CgroupFormat.number(columns[NETLINK_SENT]))
                .sum();
    }

    /** The sum of the column tx_queue:rx_queue, in hexadecimal; truncated tables as above. */
    static long datagramBytes(String table) {
        List<String> sockets = table.lines().skip(1).toList();
        if (table.length() == TABLE_BYTES_MAX) {
            return sockets.size() * QUEUE_BYTES;
        }
        return sockets.stream()
                .map(line -> line.strip().split("\\s+", -1))
                .filter(columns -> columns.length > DATAGRAM_QUEUES)
                .map(columns -> columns[DATAGRAM_QUEUES].split(":", -1))
                .filter(queues -> queues.length == 2)
                .mapToLong(queues -> Long.parseLong(queues[0], HEXADECIMAL) + Long.parseLong(queues[1], HEXADECIMAL))
                .sum();
    }
}
