package dev.vivarium.node.network;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.vivarium.node.json.PlainJson;
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
final class PacketFilter implements AutoCloseable {
    private final RuleSet rules;
    /** Prints everything, for programs. */
    private final Nft whole = new Nft("-j");
    /** Prints neither counts nor elements of sets. */
    private final Nft terse = new Nft("-s", "-t");

    private final Set<String> ending = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> allotting = new ConcurrentHashMap<>();
    private List<String> asInstalled = List.of();

    PacketFilter(RuleSet rules) {
        this.rules = rules;
    }

    /** Begins to talk to the kernel; before any other call. */
    void open() {
        whole.open();
        terse.open();
    }

    /** Stops talking to the kernel, where the rules stay. */
    @Override
    public void close() {
        whole.close();
        terse.close();
    }

    /** Installs the rules in one transaction, replacing earlier ones, and remembers how the kernel lists them. */
    void install() throws IOException {
        KernelCommand.run(rules.installation(), "nft", "-f", "-");
        asInstalled = inKernel();
    }

    /** Whether the rules are in force, unchanged. */
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

    /** The kernel's listing, without parts that change while it counts. */
    private List<String> inKernel() throws IOException {
        String table = rules.mark().table();
        List<String> listing = new ArrayList<>(terse.list("list table inet " + table));
        // Its elements are the same as long as the filter stands.
        listing.addAll(whole.list("list set inet " + table + " internal"));
        return listing;
    }

    /** The number of packets counted for each sandbox address. */
    Map<String, Long> counted(String set) throws IOException {
        return byAddress(elements(set));
    }

    /** The denials of each sandbox address, as far as destinations are counted separately. */
    Map<String, List<EgressDenial>> denied() throws IOException {
        return denied(byDestination(elements(RuleSet.DENIED)));
    }

    /**
     * All of the kernel's counts, by sandbox address.
     *
     * @param opened connections opened
     * @param refused packets dropped
     * @param denied denials, as far as destinations are counted separately
     * @param reached destinations reached, likewise
     */
    record Counts(
            Map<String, Long> opened,
            Map<String, Long> refused,
            Map<String, List<EgressDenial>> denied,
            Map<String, List<EgressReach>> reached) {
        static final Counts NOTHING = new Counts(Map.of(), Map.of(), Map.of(), Map.of());

        /** The counts of one address. */
        EgressTally of(String address) {
            return new EgressTally(
                    opened.getOrDefault(address, 0L),
                    reached.getOrDefault(address, List.of()),
                    refused.getOrDefault(address, 0L),
                    denied.getOrDefault(address, List.of()));
        }
    }

    /** Reads everything in one call; less often than the other calls, since the list may be long. */
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
                                // Without the packets that created the element, which were sent.
                                Math.max(0, received.getOrDefault(key, first).bytes - first.bytes))));
        return reached;
    }

    private record Key(String address, String destination, String protocol, int port) {}

    private record Counted(long packets, long bytes) {
        static final Counted NOTHING = new Counted(0, 0);
    }

    private JsonNode elements(String set) throws IOException {
        return of(elementsOf("list set inet " + rules.mark().table() + " " + set), set);
    }

    private Map<String, JsonNode> allElements() throws IOException {
        return elementsOf("list table inet " + rules.mark().table());
    }

    private Map<String, JsonNode> elementsOf(String query) throws IOException {
        Map<String, JsonNode> sets = new HashMap<>();
        for (JsonNode part :
                PlainJson.MAPPER.readTree(String.join("\n", whole.list(query))).path("nftables")) {
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

    /** Sets the number of connections that each address may open to the outside; the kernel denies further ones. */
    void allot(Map<String, Long> connections) throws IOException {
        if (connections.isEmpty()) {
            return;
        }
        String elements = connections.entrySet().stream()
                .map(one -> one.getKey() + " limit rate over 1/hour burst " + one.getValue() + " packets")
                .collect(Collectors.joining(", "));
        whole.change(
                List.of("add element inet " + rules.mark().table() + " " + RuleSet.BUDGET + " { " + elements + " }"));
    }

    /** The same for one address; what is asked for at the same time is one transaction. */
    void allotSoon(String address, long connections) throws IOException {
        allotting.put(address, connections);
        synchronized (allotting) {
            if (allotting.containsKey(address)) {
                Map<String, Long> together = Map.copyOf(allotting);
                try {
                    allot(together);
                } catch (IOException refused) {
                    // The others try again.
                    allotting.remove(address);
                    throw refused;
                }
                allotting.keySet().removeAll(together.keySet());
            }
        }
    }

    /** Keeps all sandboxes from opening connections, or allows it again. */
    void closeForNew(boolean closed) throws IOException {
        String element = "inet " + rules.mark().table() + " " + RuleSet.CLOSED + " { ipv4 }";
        // Added first, since deleting a missing element fails.
        whole.change(
                closed
                        ? List.of("add element " + element)
                        : List.of("add element " + element, "delete element " + element));
    }

    /**
     * Forgets everything about an address, so that its next holder is not mistaken for the previous one. The kernel can
     * only list all destinations of all sandboxes, so concurrent calls are combined.
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

    /** The same for an address that no packet has come from: what it may open is all that the kernel knows of it. */
    void forgetSilent(String address) throws IOException {
        List<String> changes = new ArrayList<>();
        appendForget(changes, RuleSet.BUDGET, address);
        whole.change(changes);
    }

    private void forgetAll(Set<String> addresses) throws IOException {
        List<String> changes = new ArrayList<>();
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
        whole.change(changes);
    }

    private static String element(Key key) {
        return String.join(" . ", key.address, key.destination, key.protocol, Integer.toString(key.port));
    }

    /** Added first, since deleting a missing element would fail, and the transaction with it. */
    private void appendForget(List<String> changes, String set, String element) {
        String named = " element inet %s %s { %s }".formatted(rules.mark().table(), set, element);
        changes.add("add" + named);
        changes.add("delete" + named);
    }
}
