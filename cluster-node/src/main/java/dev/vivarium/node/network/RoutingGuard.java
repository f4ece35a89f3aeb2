package dev.vivarium.node.network;

import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Routing rules (ip-rule(8)) that give packets of a node's sandboxes a route only if they carry the mark that the
 * node's packet filter sets on accepted packets. A flush or reload of the machine's packet filter does not affect these
 * rules: without the filter there is no mark, and so no route through or into this machine.
 *
 * <p>Forwarded packets are routed by their source, the sandbox's address. Packets for the machine itself are not, since
 * its local addresses come before all rules. But links to sandboxes verify sources (rp_filter), which looks up the
 * reverse route with the packet's mark (src_valid_mark). These look-ups appear to be local ({@code iif lo}), like those
 * for the machine's own packets to sandboxes, of which only answers of the resolver and the gateway have a route. On
 * links to the outside, source verification looks up a route as a sandbox would, so answers from there get the mark,
 * too.
 */
final class RoutingGuard {
    /** One bit of the packet mark, set on packets of sandboxes and answers to them while they are in this machine. */
    static final int MARK = 0x20000000;

    /** Before the rules of others, which could provide a route first; after the kernel's rule for local addresses. */
    private static final int PRIORITY = 20;

    private static final int PASSED = PRIORITY + 9;
    private static final Pattern RULE = Pattern.compile("([0-9]+):\\s+(.*)");
    /** The keywords that identify a rule; the rest is its action. */
    private static final Set<String> SELECTORS = Set.of("from", "to", "iif", "fwmark", "ipproto", "sport");

    private final String own;
    private final String block;
    private final List<Integer> gatewayPorts;

    /**
     * The guard of a node.
     *
     * @param own the node's address towards its sandboxes
     * @param block the addresses of its sandboxes and its own, as a CIDR
     * @param gatewayPorts the ports that the gateway listens on
     */
    RoutingGuard(String own, String block, List<Integer> gatewayPorts) {
        this.own = own;
        this.block = block;
        this.gatewayPorts = List.copyOf(gatewayPorts);
    }

    /** Installs the rules where they are missing or differ. */
    void install() throws IOException {
        if (stands()) {
            return;
        }
        remove(Ipv4Block.parse(block));
        StringBuilder batch = new StringBuilder();
        rules().forEach(rule -> batch.append("rule add ").append(rule).append('\n'));
        KernelCommand.run(batch.toString(), "ip", "-4", "-batch", "-");
        // Without it, source verification on links to the outside ignores the mark and drops answers to sandboxes.
        KernelSetting.require("ipv4/conf/all/src_valid_mark", "1");
    }

    /** Whether all rules are in force. */
    boolean stands() throws IOException {
        return ofBlock(Ipv4Block.parse(block)).size() == rules().size();
    }

    /** Removes the rules. Idempotent. */
    void remove() throws IOException {
        remove(Ipv4Block.parse(block));
    }

    /** Removes a node's rules, found by its sandboxes' addresses. Idempotent. */
    static void remove(Ipv4Block block) throws IOException {
        List<String> there = ofBlock(block);
        if (!there.isEmpty()) {
            StringBuilder batch = new StringBuilder();
            there.forEach(rule -> batch.append("rule delete ").append(rule).append('\n'));
            KernelCommand.run(batch.toString(), "ip", "-4", "-batch", "-");
        }
    }

    private List<String> rules() {
        String toAll = "to " + block + " iif lo";
        String marked = "fwmark " + MARK + "/" + MARK;
        List<String> rules = new ArrayList<>();
        rules.add(rule(0, "from " + own + " " + toAll + " ipproto udp sport 53 goto " + PASSED));
        rules.add(rule(0, "from " + own + " " + toAll + " ipproto tcp sport 53 goto " + PASSED));
        gatewayPorts.forEach(port ->
                rules.add(rule(0, "from " + own + " " + toAll + " ipproto tcp sport " + port + " goto " + PASSED)));
        rules.add(rule(1, toAll + " " + marked + " goto " + PASSED));
        rules.add(rule(2, toAll + " unreachable"));
        rules.add(rule(3, "from " + block + " iif lo goto " + PASSED));
        rules.add(rule(4, "from " + block + " " + marked + " goto " + PASSED));
        rules.add(rule(5, "from " + block + " blackhole"));
        rules.add("priority " + PASSED + " from " + block + " nop");
        return rules;
    }

    private static String rule(int after, String what) {
        return "priority " + (PRIORITY + after) + " " + what;
    }

    /** The kernel's rules about addresses of the block, in the form needed to delete them. */
    private static List<String> ofBlock(Ipv4Block block) throws IOException {
        List<String> found = new ArrayList<>();
        for (String line :
                KernelCommand.run("", "ip", "-4", "rule", "show").lines().toList()) {
            Matcher rule = RULE.matcher(line.strip());
            if (!rule.matches()) {
                continue;
            }
            int priority = Integer.parseInt(rule.group(1));
            String[] words = rule.group(2).split(" +", -1);
            StringBuilder selectors = new StringBuilder("priority " + priority);
            boolean ours = false;
            for (int at = 0; at + 1 < words.length; at++) {
                if (SELECTORS.contains(words[at])) {
                    selectors.append(' ').append(words[at]).append(' ').append(words[at + 1]);
                    ours |= Set.of("from", "to").contains(words[at]) && isIn(block, words[at + 1]);
                    at++;
                }
            }
            if (ours && priority >= PRIORITY && priority <= PASSED) {
                found.add(selectors.toString());
            }
        }
        return found;
    }

    private static boolean isIn(Ipv4Block block, String addresses) {
        try {
            return block.contains(Ipv4Block.parse(addresses));
        } catch (IllegalArgumentException all) {
            return false;
        }
    }

    /** The settings of a link, to be set to 1, that make it verify sources, taking the packet mark into account. */
    static List<String> settings(String link) {
        return List.of("ipv4/conf/" + link + "/rp_filter", "ipv4/conf/" + link + "/src_valid_mark");
    }
}
