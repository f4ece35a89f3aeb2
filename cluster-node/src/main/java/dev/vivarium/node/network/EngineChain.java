package dev.vivarium.node.network;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the engine's own packet filter accept what a node's filter has accepted; by default it drops unknown traffic.
 * An engine without a packet filter needs nothing. The rules come after all rules of the operator and require the mark
 * that only the node's filter sets. So they open nothing that someone has forbidden, and nothing without the node's
 * filter.
 */
final class EngineChain {
    private static final String OPERATORS = "DOCKER-USER";
    private static final String LAST = "FORWARD";

    private EngineChain() {}

    /** Accepts packets from and to a node's links. Idempotent. */
    static void letPass(NodeMark mark) throws IOException {
        if (isAbsent()) {
            return;
        }
        takeAway(OPERATORS, before(mark));
        for (List<String> rule : rules(mark)) {
            if (!succeeds("-C", LAST, rule)) {
                iptables("-A", LAST, rule);
            }
        }
    }

    /** Removes those rules. Idempotent. */
    static void forget(NodeMark mark) throws IOException {
        if (isAbsent()) {
            return;
        }
        takeAway(OPERATORS, before(mark));
        takeAway(LAST, rules(mark));
    }

    private static void takeAway(String chain, List<List<String>> rules) throws IOException {
        for (List<String> rule : rules) {
            // Repeated, since two nodes may have inserted the rule concurrently.
            while (succeeds("-C", chain, rule)) {
                iptables("-D", chain, rule);
            }
        }
    }

    private static List<List<String>> rules(NodeMark mark) {
        String all = mark.links() + "+";
        String passed = "0x%1$x/0x%1$x".formatted(RoutingGuard.MARK);
        return List.of(
                List.of("-i", all, "-m", "mark", "--mark", passed, "-j", "ACCEPT"),
                List.of("-o", all, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"));
    }

    /** The rules of versions up to 0.1.0, which came before all rules of the operator. */
    private static List<List<String>> before(NodeMark mark) {
        String all = mark.links() + "+";
        return List.of(List.of("-i", all, "-j", "ACCEPT"), List.of("-o", all, "-j", "ACCEPT"));
    }

    private static boolean isAbsent() {
        return !succeeds("-L", OPERATORS, List.of("-n"));
    }

    private static boolean succeeds(String action, String chain, List<String> rest) {
        try {
            iptables(action, chain, rest);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private static void iptables(String action, String chain, List<String> rest) throws IOException {
        List<String> command = new ArrayList<>(List.of("iptables", "-w", action, chain));
        command.addAll(rest);
        KernelCommand.run("", command.toArray(String[]::new));
    }
}
