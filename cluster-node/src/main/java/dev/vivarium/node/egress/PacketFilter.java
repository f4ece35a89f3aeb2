package dev.vivarium.node.egress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The packet filter of one node in this machine's kernel. All calls block. */
final class PacketFilter {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RuleSet rules;
    private String asInstalled = "";

    PacketFilter(RuleSet rules) {
        this.rules = rules;
    }

    /** Puts the rules in, in one step, whatever was there before, and remembers how the kernel tells them. */
    void install() throws IOException {
        KernelCommand.run(rules.installation(), "nft", "-f", "-");
        asInstalled = inKernel();
    }

    /** Whether the rules are there, as they were put in. */
    boolean stands() {
        try {
            return inKernel().equals(asInstalled);
        } catch (IOException gone) {
            return false;
        }
    }

    void remove() throws IOException {
        KernelCommand.run(rules.removal(), "nft", "-f", "-");
    }

    /** Without what the kernel adds while it counts. */
    private String inKernel() throws IOException {
        String table = rules.mark().table();
        return KernelCommand.run("", "nft", "-s", "-t", "list", "table", "inet", table)
                + KernelCommand.run("", "nft", "-s", "list", "set", "inet", table, "internal");
    }

    /** The packets that were counted for each address of a sandbox. */
    Map<String, Long> counted(String set) throws IOException {
        Map<String, Long> counts = new HashMap<>();
        JsonNode told = JSON.readTree(KernelCommand.run(
                "", "nft", "-j", "list", "set", "inet", rules.mark().table(), set));
        for (JsonNode part : told.path("nftables")) {
            for (JsonNode element : part.path("set").path("elem")) {
                JsonNode one = element.path("elem");
                counts.put(
                        one.path("val").asText(),
                        one.path("counter").path("packets").asLong());
            }
        }
        return counts;
    }

    /** What was denied to each address of a sandbox, as far as destinations are told apart. */
    Map<String, List<EgressDenial>> denied() throws IOException {
        return byDestination(RuleSet.DENIED, EgressDenial::new);
    }

    /** What each address of a sandbox reached, as far as destinations are told apart. */
    Map<String, List<EgressReach>> reached() throws IOException {
        return byDestination(RuleSet.REACHED, EgressReach::new);
    }

    private interface Counted<T> {
        T of(String protocol, String destination, int port, long count);
    }

    private <T> Map<String, List<T>> byDestination(String set, Counted<T> counted) throws IOException {
        Map<String, List<T>> all = new HashMap<>();
        JsonNode told = JSON.readTree(KernelCommand.run(
                "", "nft", "-j", "list", "set", "inet", rules.mark().table(), set));
        for (JsonNode part : told.path("nftables")) {
            for (JsonNode element : part.path("set").path("elem")) {
                JsonNode one = element.path("elem");
                JsonNode key = one.path("val").path("concat");
                all.computeIfAbsent(key.path(0).asText(), address -> new ArrayList<>())
                        .add(counted.of(
                                key.path(2).asText(),
                                key.path(1).asText(),
                                key.path(3).asInt(),
                                one.path("counter").path("packets").asLong()));
            }
        }
        return all;
    }

    /** How many connections an address may open to the outside: the kernel lets no further one out. */
    void allot(Map<String, Long> connections) throws IOException {
        if (connections.isEmpty()) {
            return;
        }
        String elements = connections.entrySet().stream()
                .map(one -> one.getKey() + " limit rate over 1/hour burst " + one.getValue() + " packets")
                .collect(Collectors.joining(", "));
        KernelCommand.run(
                "add element inet " + rules.mark().table() + " " + RuleSet.BUDGET + " { " + elements + " }\n",
                "nft",
                "-f",
                "-");
    }

    /** Forgets all that is known of an address, so that whoever has it next is not taken for the one before. */
    void forget(String address) throws IOException {
        StringBuilder changes = new StringBuilder();
        for (String set : RuleSet.BY_SANDBOX) {
            appendForget(changes, set, address);
        }
        for (EgressDenial one : denied().getOrDefault(address, List.of())) {
            appendForget(changes, RuleSet.DENIED, element(address, one.destination(), one.protocol(), one.port()));
        }
        for (EgressReach one : reached().getOrDefault(address, List.of())) {
            appendForget(changes, RuleSet.REACHED, element(address, one.destination(), one.protocol(), one.port()));
        }
        KernelCommand.run(changes.toString(), "nft", "-f", "-");
    }

    private static String element(String address, String destination, String protocol, int port) {
        return String.join(" . ", address, destination, protocol, Integer.toString(port));
    }

    /** Added first, since to delete what is not there fails, and all of the transaction with it. */
    private void appendForget(StringBuilder changes, String set, String element) {
        changes.append("add element inet %1$s %2$s { %3$s }\ndelete element inet %1$s %2$s { %3$s }\n"
                .formatted(rules.mark().table(), set, element));
    }
}
