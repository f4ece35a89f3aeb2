package dev.vivarium.node.network;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * How the engine's own packet filter is told to let pass what has passed a node's: it drops what it does not know. An engine
 * without a filter needs to be told nothing.
 */
final class EngineChain {
    private static final String CHAIN = "DOCKER-USER";

    private EngineChain() {}

    /** Lets pass what comes from and goes to the links of a node. Idempotent. */
    static void letPass(NodeMark mark) throws IOException {
        if (isAbsent()) {
            return;
        }
        for (List<String> rule : rules(mark)) {
            if (!isThere(rule)) {
                iptables("-I", rule);
            }
        }
    }

    /** Takes that back. Idempotent. */
    static void forget(NodeMark mark) throws IOException {
        if (isAbsent()) {
            return;
        }
        for (List<String> rule : rules(mark)) {
            // As often as it is there: two nodes may have put it in at once.
            while (isThere(rule)) {
                iptables("-D", rule);
            }
        }
    }

    private static List<List<String>> rules(NodeMark mark) {
        String all = mark.links() + "+";
        return List.of(List.of("-i", all, "-j", "ACCEPT"), List.of("-o", all, "-j", "ACCEPT"));
    }

    private static boolean isAbsent() {
        return !succeeds("-L", List.of("-n"));
    }

    private static boolean isThere(List<String> rule) {
        return succeeds("-C", rule);
    }

    private static boolean succeeds(String action, List<String> rest) {
        try {
            iptables(action, rest);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private static void iptables(String action, List<String> rest) throws IOException {
        List<String> command = new ArrayList<>(List.of("iptables", "-w", action, CHAIN));
        command.addAll(rest);
        KernelCommand.run("", command.toArray(String[]::new));
    }
}
