package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.loadtests.subject.ShutdownCleanup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A cluster of {@code vivarium cluster up}, with operations to harm it. Members are its nodes, {@code node-1} and so
 * on, and its store. Dropping packets needs root.
 */
final class Cluster implements AutoCloseable {
    static final String STORE = "store";

    private static final Duration COMMAND_MAX = Duration.ofMinutes(10);
    private static final Duration BRIEF = Duration.ofSeconds(20);

    private final ClusterSite site;
    private final Map<String, String> environment;
    private final int nodes;
    private final Map<String, String> settings;
    private final List<NodeClient> clients = new ArrayList<>();
    private final List<List<String>> rules = new ArrayList<>();
    /** Leaves no cluster behind when the benchmark is terminated from outside. */
    private final ShutdownCleanup lastWill = new ShutdownCleanup("the cluster", this::breakOff);

    /**
     * A cluster, not started yet.
     *
     * @param environment additional environment variables of its processes
     * @param nodes how many nodes it has
     * @param settings configuration that overrides the defaults on all nodes, by full key
     */
    Cluster(ClusterSite site, Map<String, String> environment, int nodes, Map<String, String> settings) {
        this.site = site;
        this.environment = new TreeMap<>(environment);
        this.environment.put("VIVARIUM_HOME", site.home().toString());
        this.nodes = nodes;
        this.settings = Map.copyOf(settings);
    }

    static String name(int node) {
        return "node-" + node;
    }

    int nodes() {
        return nodes;
    }

    /** Clients of all nodes; none before it is up. */
    List<NodeClient> clients() {
        return List.copyOf(clients);
    }

    /** Starts it; returns when all members are ready. It must be closed from now on. */
    void up() throws IOException {
        lastWill.make();
        List<String> further = new ArrayList<>(List.of(
                "--nodes",
                Integer.toString(nodes),
                "--http-port",
                Integer.toString(site.httpPort()),
                "--port-base",
                Integer.toString(site.portBase()),
                "--drain",
                "5s"));
        settings.forEach((key, value) -> further.addAll(List.of("--set", key + "=" + value)));
        command("up", further);
        for (int node = 1; node <= nodes; node++) {
            clients.add(new NodeClient(site.api(node), site.credentials()));
        }
    }

    /** A member's log file, across restarts. */
    Path log(String member) {
        return site.folder().resolve(member).resolve("log");
    }

    /** Copies the members' logs to a folder beside the cluster's, which is kept. */
    Path keepLogs() throws IOException {
        Path kept = site.folder().resolveSibling(site.folder().getFileName() + "-logs");
        Files.createDirectories(kept);
        List<String> members = new ArrayList<>(List.of(STORE));
        for (int node = 1; node <= nodes; node++) {
            members.add(name(node));
        }
        for (String member : members) {
            Path log = log(member);
            if (Files.exists(log)) {
                Files.copy(log, kept.resolve(member + ".log"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return kept;
    }

    private void command(String verb, List<String> further) throws IOException {
        List<String> command = new ArrayList<>(site.program());
        command.addAll(List.of("cluster", verb, "--folder", site.folder().toString()));
        command.addAll(further);
        Programs.run(command, environment, COMMAND_MAX);
    }

    /** Starts a stopped member; returns when it is ready. */
    void start(String member) throws IOException {
        lastWill.requireAlive();
        command("start", List.of(member));
    }

    boolean isAlive(String member) {
        return pid(member).isPresent();
    }

    /** A member's process id. */
    long process(String member) throws IOException {
        return pid(member).orElseThrow(() -> new IOException(member + " is not running."));
    }

    /** A member's process. One that has ended and was not reaped has no command line. */
    private Optional<Long> pid(String member) {
        Path home = site.folder().resolve(member);
        try {
            String pid = Files.readString(home.resolve("pid")).strip();
            String words = Files.readString(Path.of("/proc", pid, "cmdline"), StandardCharsets.ISO_8859_1);
            return words.contains(home.toString()) ? Optional.of(Long.valueOf(pid)) : Optional.empty();
        } catch (IOException | NumberFormatException gone) {
            return Optional.empty();
        }
    }

    /** Sends a signal, if the process still exists. */
    void signal(String member, String signal) throws IOException {
        Optional<Long> pid = pid(member);
        if (pid.isPresent()) {
            // kill is built into every shell. If the process ends first, the effect is the same.
            Programs.run(List.of("sh", "-c", "kill -s " + signal + " " + pid.get() + " || true"), Map.of(), BRIEF);
        }
    }

    /**
     * What makes the sandboxes of all nodes, which are running.
     *
     * @throws IOException when they differ
     */
    Driver driver() throws IOException {
        Set<Driver> drivers = EnumSet.noneOf(Driver.class);
        for (int node = 1; node <= nodes; node++) {
            drivers.add(Driver.of(process(name(node))));
        }
        if (drivers.size() > 1) {
            throw new IOException("The nodes have different drivers; choose one with --driver.");
        }
        return drivers.iterator().next();
    }

    /** Kills a node's launcher, if the node and its launcher are running; returns whether they were. */
    boolean killLauncher(String node) {
        return pid(node)
                .flatMap(Driver::launcher)
                .filter(ProcessHandle::destroyForcibly)
                .isPresent();
    }

    /** Drops packets between a node and its peers; store, engine and clients still reach it. */
    synchronized void cutOff(int node) throws IOException {
        for (String side : List.of("-s", "-d")) {
            List<String> rule = List.of(
                    "INPUT",
                    side,
                    ClusterSite.host(node),
                    "-p",
                    "tcp",
                    "--dport",
                    Integer.toString(site.portBase()),
                    "-j",
                    "DROP");
            firewall("-I", rule);
            rules.add(rule);
        }
    }

    /** Restores all connections. */
    synchronized void heal() throws IOException {
        for (List<String> rule : List.copyOf(rules)) {
            firewall("-D", rule);
            rules.remove(rule);
        }
    }

    private static void firewall(String verb, List<String> rule) throws IOException {
        List<String> command = new ArrayList<>(List.of("iptables", "-w", verb));
        command.addAll(rule);
        Programs.run(command, Map.of(), BRIEF);
    }

    /** Stops all members and deletes their data. */
    @Override
    public void close() throws IOException {
        try {
            end();
        } finally {
            lastWill.drop();
        }
    }

    private void end() throws IOException {
        heal();
        command("down", List.of("--purge"));
    }

    /** As {@link #close}, after a failure; keeps the logs for diagnosis. */
    private void breakOff() throws IOException {
        // A member that is still starting would come up after the others have gone.
        ProcessHandle.current().descendants().filter(this::isStarting).forEach(Cluster::endWhole);
        try {
            System.err.println("vivarium bench: the logs of nodes and store are kept in " + keepLogs());
        } finally {
            end();
        }
    }

    private boolean isStarting(ProcessHandle process) {
        return process.info()
                .commandLine()
                .filter(words -> words.contains("cluster start --folder " + site.folder())
                        || words.contains("cluster up --folder " + site.folder()))
                .isPresent();
    }

    private static void endWhole(ProcessHandle process) {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(0, process);
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(ended -> ended.onExit().join());
    }
}
