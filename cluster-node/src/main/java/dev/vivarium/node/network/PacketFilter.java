package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The packet filter of one node in this machine's kernel. All calls block. */
final class PacketFilter {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RuleSet rules;
    private final Set<String> ending = ConcurrentHashMap.newKeySet();
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
        return byAddress(elements(set));
    }

    /** What was denied to each address of a sandbox, as far as destinations are told apart. */
    Map<String, List<EgressDenial>> denied() throws IOException {
        return denied(byDestination(elements(RuleSet.DENIED)));
    }

    /**
     * All that the kernel has counted, by the addresses of sandboxes.
     *
     * @param opened connections that each opened
     * @param refused packets of each that were dropped
     * @param denied what was denied to each, as far as destinations are told apart
     * @param reached what each reached, likewise
     */
    record Counts(
            Map<String, Long> opened,
            Map<String, Long> refused,
            Map<String, List<EgressDenial>> denied,
            Map<String, List<EgressReach>> reached) {}

    /** Asks for all at once: rarer than for the rest, since the list may be long. */
    Counts all() throws IOException {
        Map<String, JsonNode> sets = allElements();
        return new Counts(
                byAddress(of(sets, RuleSet.OPENED)),
                byAddress(of(sets, RuleSet.REFUSED)),
                denied(byDestination(of(sets, RuleSet.DENIED))),
                reached(sets));
    }

    private static Map<String, List<EgressDenial>> denied(Map<Key, Counted> counted) {
        Map<String, List<EgressDenial>> denied = new HashMap<>();
        counted.forEach((key, packets) -> denied.computeIfAbsent(key.address, address -> new ArrayList<>())
                .add(new EgressDenial(key.protocol, key.destination, key.port, packets.packets)));
        return denied;
    }

    private static Map<String, List<EgressReach>> reached(Map<String, JsonNode> sets) {
        Map<Key, Counted> sent = byDestination(of(sets, RuleSet.SENT));
        Map<Key, Counted> received = byDestination(of(sets, RuleSet.RECEIVED));
        Map<String, List<EgressReach>> reached = new HashMap<>();
        byDestination(of(sets, RuleSet.REACHED))
                .forEach((key, first) -> reached.computeIfAbsent(key.address, address -> new ArrayList<>())
                        .add(new EgressReach(
                                key.protocol,
                                key.destination,
                                key.port,
                                first.packets,
                                sent.getOrDefault(key, Counted.NOTHING).bytes,
                                // Without those that made the element, which were sent.
                                Math.max(0, received.getOrDefault(key, first).bytes - first.bytes))));
        return reached;
    }

    private record Key(String address, String destination, String protocol, int port) {}

    private record Counted(long packets, long bytes) {
        static final Counted NOTHING = new Counted(0, 0);
    }

    private JsonNode elements(String set) throws IOException {
        return of(elementsOf("list", "set", "inet", rules.mark().table(), set), set);
    }

    private Map<String, JsonNode> allElements() throws IOException {
        return elementsOf("list", "table", "inet", rules.mark().table());
    }

    private static Map<String, JsonNode> elementsOf(String... query) throws IOException {
        List<String> command = new ArrayList<>(List.of("nft", "-j"));
        command.addAll(List.of(query));
        Map<String, JsonNode> sets = new HashMap<>();
        for (JsonNode part : JSON.readTree(KernelCommand.run("", command.toArray(String[]::new)))
                .path("nftables")) {
            sets.put(part.path("set").path("name").asText(), part.path("set").path("elem"));
        }
        return sets;
    }

    private static JsonNode of(Map<String, JsonNode> sets, String set) {
        return sets.getOrDefault(set, MissingNode.getInstance());
    }

    private static Map<String, Long> byAddress(JsonNode elements) {
        Map<String, Long> counts = new HashMap<>();
        for (JsonNode element : elements) {
            JsonNode one = element.path("elem");
            counts.put(
                    one.path("val").asText(),
                    one.path("counter").path("packets").asLong());
        }
        return counts;
    }

    private static Map<Key, Counted> byDestination(JsonNode elements) {
        Map<Key, Counted> all = new HashMap<>();
        for (JsonNode element : elements) {
            JsonNode one = element.path("elem");
            JsonNode key = one.path("val").path("concat");
            all.put(
                    new Key(
                            key.path(0).asText(),
                            key.path(1).asText(),
                            key.path(2).asText(),
                            key.path(3).asInt()),
                    new Counted(
                            one.path("counter").path("packets").asLong(),
                            one.path("counter").path("bytes").asLong()));
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

    /**
     * Forgets all that is known of an address, so that whoever has it next is not taken for the one before. The kernel can
     * only be asked for all destinations of all sandboxes, so those that end meanwhile are forgotten together.
     */
    void forget(String address) throws IOException {
        ending.add(address);
        synchronized (ending) {
            if (ending.contains(address)) {
                Set<String> together = Set.copyOf(ending);
                forgetAll(together);
                ending.removeAll(together);
            }
        }
    }

    private void forgetAll(Set<String> addresses) throws IOException {
        StringBuilder changes = new StringBuilder();
        for (String address : addresses) {
            RuleSet.BY_SANDBOX.forEach(set -> appendForget(changes, set, address));
        }
        Map<String, JsonNode> sets = allElements();
        for (Key key : byDestination(of(sets, RuleSet.DENIED)).keySet()) {
            if (addresses.contains(key.address)) {
                appendForget(changes, RuleSet.DENIED, element(key));
            }
        }
        for (Key key : byDestination(of(sets, RuleSet.REACHED)).keySet()) {
            if (addresses.contains(key.address)) {
                RuleSet.BY_REACH.forEach(set -> appendForget(changes, set, element(key)));
            }
        }
        KernelCommand.run(changes.toString(), "nft", "-f", "-");
    }

    private static String element(Key key) {
        return String.join(" . ", key.address, key.destination, key.protocol, Integer.toString(key.port));
    }

    /** Added first, since to delete what is not there fails, and all of the transaction with it. */
    private void appendForget(StringBuilder changes, String set, String element) {
        changes.append("add element inet %1$s %2$s { %3$s }\ndelete element inet %1$s %2$s { %3$s }\n"
                .formatted(rules.mark().table(), set, element));
    }
}
