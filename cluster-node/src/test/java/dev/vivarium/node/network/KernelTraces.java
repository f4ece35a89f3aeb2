package dev.vivarium.node.network;

import java.util.List;

/** What is in this machine's kernel of one node that gives its sandboxes networks. Others' may come and go meanwhile. */
public final class KernelTraces {
    private final NodeMark mark;

    private KernelTraces(NodeMark mark) {
        this.mark = mark;
    }

    public static KernelTraces of(String installation, String node) {
        return new KernelTraces(NodeMark.of(installation, node));
    }

    /** All of it: the packet filter, links, addresses, routes, and what the engine's filter was told; a line for each. */
    public List<String> all() {
        return linesOf("nft list tables; ip -o link; ip -o -4 addr; ip -4 route show table all;"
                + " iptables -w -S 2>/dev/null; true");
    }

    /** Whether its packet filter is there. */
    public boolean hasFilter() {
        return !linesOf("nft list tables").isEmpty();
    }

    /** The links of its sandboxes. */
    public List<String> links() {
        return linesOf("ip -o link").stream()
                .filter(line -> line.contains(mark.publicLinks()) || line.contains(mark.listedLinks()))
                .toList();
    }

    /** The node's address towards its sandboxes. */
    public String address() {
        return TestHosts.shell(
                        "ip -o -4 addr show dev " + mark.ownInterface() + " | sed 's/.*inet \\([0-9.]*\\).*/\\1/'")
                .strip();
    }

    private List<String> linesOf(String command) {
        return TestHosts.shell(command)
                .lines()
                .filter(line -> line.contains(mark.text()))
                .toList();
    }
}
