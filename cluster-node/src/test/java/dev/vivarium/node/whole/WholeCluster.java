package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.Credentials;
import dev.vivarium.node.doubles.NodeCertificates;
import dev.vivarium.node.doubles.SharedStore;
import dev.vivarium.trials.outside.LeftoverScan;
import dev.vivarium.trials.outside.OciRecords;
import dev.vivarium.trials.outside.OciRecords.Claimed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Nodes in separate JVMs, on addresses of a separate loopback network, with one store, and one container engine or one
 * each. While open, it watches that no run ever has two live sandboxes.
 */
final class WholeCluster implements AutoCloseable {
    private static final String PORT = "25520";
    private static final SecureRandom CHANCE = new SecureRandom();
    private static final Pattern CONTAINER = Pattern.compile("vivarium-[0-9a-f]{8}-([0-9a-z]{26})-([0-9]+)");

    /** Keeps clusters on one machine apart, for example those of two builds. */
    private final String network = "127." + (1 + CHANCE.nextInt(254)) + "." + CHANCE.nextInt(256);

    private final NodeCertificates certificates;
    private final SharedStore store;
    private final List<DataDirectory> folders = new ArrayList<>();
    private final Map<Integer, WholeNode> nodes = new ConcurrentSkipListMap<>();
    private final List<List<String>> rules = new ArrayList<>();
    private final List<String> twins = new ArrayList<>();
    private final Thread watcher;
    private final int count;
    private final Formation formation;
    private final IntFunction<Map<String, String>> further;
    private final String drain;
    private final List<PrivateEngine> engines;

    /** How nodes find each other. */
    enum Formation {
        SEEDS,
        BOOTSTRAP
    }

    /** Starts this many nodes, and returns when all have joined. */
    WholeCluster(int count, Formation formation) throws Exception {
        this(count, formation, number -> Map.of());
    }

    /** Starts nodes with further settings by the number of the node. */
    WholeCluster(int count, Formation formation, IntFunction<Map<String, String>> further) throws Exception {
        this(count, formation, further, "1s", List.of());
    }

    /** Starts nodes with one existing engine each. */
    static WholeCluster withEnginesOfTheirOwn(List<PrivateEngine> engines, Map<String, String> further)
            throws Exception {
        Map<String, String> settings = new TreeMap<>(further);
        settings.put("vivarium.cluster.fencing.engine", "own");
        return new WholeCluster(engines.size(), Formation.SEEDS, number -> settings, "1s", engines);
    }

    /** Starts nodes with this drain time for live runs. */
    WholeCluster(int count, Formation formation, IntFunction<Map<String, String>> further, String drain)
            throws Exception {
        this(count, formation, further, drain, List.of());
    }

    private WholeCluster(
            int count,
            Formation formation,
            IntFunction<Map<String, String>> further,
            String drain,
            List<PrivateEngine> engines)
            throws Exception {
        this.engines = List.copyOf(engines);
        this.count = count;
        this.formation = formation;
        this.further = further;
        this.drain = drain;
        this.store = new SharedStore();
        this.certificates = new NodeCertificates(DataDirectory.newFolder("vivarium-authority-"));
        this.watcher = new Thread(this::watch, "two-live-sandboxes");
        try {
            List<CompletableFuture<WholeNode>> starting = new ArrayList<>();
            for (int number = 1; number <= count; number++) {
                DataDirectory folder = DataDirectory.on(DataDirectory.newFolder("vivarium-member-"));
                folders.add(folder);
                starting.add(begin(number, folder));
            }
            for (int number = 1; number <= count; number++) {
                nodes.put(number, starting.get(number - 1).join());
            }
        } catch (Exception failed) {
            store.close();
            throw failed;
        }
        watcher.setDaemon(true);
        watcher.start();
    }

    private CompletableFuture<WholeNode> begin(int number, DataDirectory folder) {
        List<String> arguments = new ArrayList<>(List.of("--host", host(number), "--drain", drain));
        Map<String, String> settings = new TreeMap<>(store.settings());
        settings.put("vivarium.cluster.node-name", name(number));
        settings.put("vivarium.cluster.host", host(number));
        settings.put("vivarium.cluster.port", PORT);
        settings.put("vivarium.cluster.fencing.engine", "shared");
        settings.putAll(certificate(number));
        // So that connections can be identified by address, and cut off.
        settings.put("pekko.remote.artery.advanced.tcp.outbound-client-hostname", host(number));
        settings.putAll(further.apply(number));
        if (formation == Formation.SEEDS) {
            settings.put("vivarium.cluster.formation", "seeds");
            for (int seed = 1; seed <= count; seed++) {
                settings.put("vivarium.cluster.seeds." + (seed - 1), host(seed) + ":" + PORT);
            }
        } else {
            settings.put("vivarium.cluster.formation", "bootstrap");
            settings.put("vivarium.cluster.management.host", host(number));
            for (int other = 1; other <= count; other++) {
                String endpoint = "pekko.discovery.config.services.vivarium.endpoints." + (other - 1);
                settings.put(endpoint + ".host", host(other));
                settings.put(endpoint + ".port", "7626");
            }
        }
        settings.forEach((key, value) -> arguments.addAll(List.of("--set", key + "=" + value)));
        return CompletableFuture.supplyAsync(() -> {
            try {
                WholeNode.Start start = WholeNode.on(folder).with(arguments.toArray(String[]::new));
                return (engines.isEmpty()
                                ? start
                                : start.engine(engines.get(number - 1).address()))
                        .go();
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        });
    }

    private Map<String, String> certificate(int number) {
        try {
            return certificates.of(name(number));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Stops a node as an operator does, and starts it again on its data; returns when it is ready. */
    WholeNode restart(int number) throws IOException, InterruptedException {
        WholeNode before = nodes.remove(number);
        assertThat(before.stop()).as(before::log).isZero();
        before.close();
        WholeNode again = begin(number, folders.get(number - 1)).join();
        nodes.put(number, again);
        return again;
    }

    /** Starts a dead node again on its data; returns when it is ready. */
    WholeNode startAgain(int number) {
        nodes.remove(number).close();
        WholeNode again = begin(number, folders.get(number - 1)).join();
        nodes.put(number, again);
        return again;
    }

    /** The name of the installation. */
    String installation() throws SQLException {
        return store.installation();
    }

    /** What the operator of a node proves itself with; also while the node is being restarted. */
    Credentials credentials(URI node) {
        for (int number = 1; number <= folders.size(); number++) {
            if (host(number).equals(node.getHost())) {
                return Credentials.in(Credentials.fileIn(folders.get(number - 1).path()));
            }
        }
        throw new IllegalArgumentException("There is no node at " + node + ".");
    }

    /** The nodes that are not being restarted. */
    List<WholeNode> nodes() {
        return List.copyOf(nodes.values());
    }

    static String name(int number) {
        return "member-" + number;
    }

    private String host(int number) {
        return network + "." + number;
    }

    WholeNode node(int number) {
        return nodes.get(number);
    }

    /** The member of this name. */
    WholeNode node(String name) {
        return node(Integer.parseInt(name.substring(name.lastIndexOf('-') + 1)));
    }

    /** Drops packets between this member and the others; it still reaches the store and the engine. */
    void cutOff(String name) throws IOException, InterruptedException {
        String host = host(Integer.parseInt(name.substring(name.lastIndexOf('-') + 1)));
        for (String side : List.of("-s", "-d")) {
            List<String> rule = List.of("INPUT", side, host, "-p", "tcp", "--dport", PORT, "-j", "DROP");
            firewall("-I", rule);
            rules.add(rule);
        }
    }

    /** Drops packets between members of the two groups. */
    void split(List<Integer> some, List<Integer> others) throws IOException, InterruptedException {
        for (int one : some) {
            for (int other : others) {
                for (List<Integer> way : List.of(List.of(one, other), List.of(other, one))) {
                    List<String> rule = List.of(
                            "INPUT",
                            "-s",
                            host(way.get(0)),
                            "-d",
                            host(way.get(1)),
                            "-p",
                            "tcp",
                            "--dport",
                            PORT,
                            "-j",
                            "DROP");
                    firewall("-I", rule);
                    rules.add(rule);
                }
            }
        }
    }

    private static void firewall(String verb, List<String> rule) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("iptables", "-w", verb));
        command.addAll(rule);
        Commands.run(command.toArray(String[]::new));
    }

    /** The sandboxes of all nodes, counted from outside. */
    LeftoverScan census() throws Exception {
        return new LeftoverScan(System.getenv(), store.installation());
    }

    /** The attempts with live processes in a sandbox that was made without an engine, and these. */
    Map<Claimed, List<Long>> processes() throws IOException {
        OciRecords records = new OciRecords();
        Map<Claimed, List<Long>> processes = new HashMap<>();
        try {
            for (Claimed claim : records.claims(OciRecords.mark(store.installation()))) {
                List<Long> of = records.processes(claim);
                if (!of.isEmpty()) {
                    processes.put(claim, of);
                }
            }
            return processes;
        } catch (SQLException failed) {
            throw new IOException(failed);
        }
    }

    /** The attempts with a running sandbox, by run. */
    Map<String, List<Integer>> running() throws IOException, InterruptedException {
        Map<String, List<Integer>> attempts = new TreeMap<>();
        for (Claimed claim : processes().keySet()) {
            attempts.computeIfAbsent(claim.run(), run -> new ArrayList<>()).add(claim.attempt());
        }
        Matcher names = CONTAINER.matcher(containers());
        while (names.find()) {
            attempts.computeIfAbsent(names.group(1), run -> new ArrayList<>()).add(Integer.valueOf(names.group(2)));
        }
        return attempts;
    }

    /** The names of the engines' containers that run now; nodes with the machine's own engine do without it. */
    private String containers() throws IOException, InterruptedException {
        StringBuilder names = new StringBuilder();
        for (PrivateEngine engine : engines) {
            if (engine.isAlive()) {
                names.append(engine.docker("ps", "--format", "{{.Names}}"));
            }
        }
        return names.toString();
    }

    private void watch() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                running().forEach((run, attempts) -> {
                    if (attempts.size() > 1) {
                        synchronized (twins) {
                            twins.add(run + " had attempts " + attempts);
                        }
                    }
                });
                Thread.sleep(50);
            }
        } catch (IOException | InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /** Runs that were seen to have two live sandboxes at once. */
    List<String> twins() {
        synchronized (twins) {
            return List.copyOf(twins);
        }
    }

    @Override
    public void close() throws IOException {
        watcher.interrupt();
        try {
            for (List<String> rule : rules) {
                firewall("-D", rule);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        nodes.values().forEach(WholeNode::close);
        store.close();
        DataDirectory.delete(certificates.folder());
        folders.forEach(folder -> DataDirectory.delete(folder.path()));
    }
}
