package dev.vivarium.loadtests.history;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A cluster of {@code vivarium cluster up}, and the harm that can be done to it. Members are its nodes, {@code node-1} and
 * so on, and its store. Needs root where packets are dropped.
 */
final class Cluster implements AutoCloseable {
    static final String STORE = "store";

    private static final Duration COMMAND_MAX = Duration.ofMinutes(10);
    private static final Duration BRIEF = Duration.ofSeconds(20);

    private final Layout layout;
    private final List<NodeClient> clients = new ArrayList<>();
    private final List<List<String>> rules = new ArrayList<>();

    /**
     * Where it is and how it is reached.
     *
     * @param program what {@code vivarium} is here, with its first arguments
     * @param environment variables for it, beside those of this process
     * @param folder its own
     * @param nodes how many nodes it has
     * @param httpPort where each node answers, at its own address
     * @param portBase where the nodes speak to each other, at their own addresses
     */
    record Layout(
            List<String> program, Map<String, String> environment, Path folder, int nodes, int httpPort, int portBase) {
        URI api(int node) {
            return URI.create("http://" + host(node) + ":" + httpPort);
        }

        static String host(int node) {
            return "127.0.0." + node;
        }
    }

    Cluster(Layout layout) {
        this.layout = layout;
        for (int node = 1; node <= layout.nodes; node++) {
            clients.add(new NodeClient(layout.api(node)));
        }
    }

    static String name(int node) {
        return "node-" + node;
    }

    int nodes() {
        return layout.nodes;
    }

    List<NodeClient> clients() {
        return List.copyOf(clients);
    }

    /** Returns when all of it is ready. */
    void up() throws IOException {
        command(
                "up",
                "--nodes",
                Integer.toString(layout.nodes),
                "--http-port",
                Integer.toString(layout.httpPort),
                "--port-base",
                Integer.toString(layout.portBase),
                "--drain",
                "5s");
    }

    /** Copies what its members have logged to a folder beside its own, which lasts. */
    Path keepLogs() throws IOException {
        Path kept = layout.folder.resolveSibling(layout.folder.getFileName() + "-logs");
        Files.createDirectories(kept);
        List<String> members = new ArrayList<>(List.of(STORE));
        for (int node = 1; node <= layout.nodes; node++) {
            members.add(name(node));
        }
        for (String member : members) {
            Path log = layout.folder.resolve(member).resolve("log");
            if (Files.exists(log)) {
                Files.copy(log, kept.resolve(member + ".log"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return kept;
    }

    private void command(String verb, String... further) throws IOException {
        List<String> command = new ArrayList<>(layout.program);
        command.addAll(List.of("cluster", verb, "--folder", layout.folder.toString()));
        command.addAll(List.of(further));
        Programs.run(command, layout.environment, COMMAND_MAX);
    }

    /** Starts a member that does not run, and returns when it is ready. */
    void start(String member) throws IOException {
        command("start", member);
    }

    boolean isAlive(String member) {
        return pid(member).isPresent();
    }

    /** The process of a member. One that has ended and was not reaped has no command line. */
    private Optional<Long> pid(String member) {
        Path home = layout.folder.resolve(member);
        try {
            String pid = Files.readString(home.resolve("pid")).strip();
            String words = Files.readString(Path.of("/proc", pid, "cmdline"), StandardCharsets.ISO_8859_1);
            return words.contains(home.toString()) ? Optional.of(Long.valueOf(pid)) : Optional.empty();
        } catch (IOException | NumberFormatException gone) {
            return Optional.empty();
        }
    }

    /** Sends a signal, if there is anybody to take it. */
    void signal(String member, String signal) throws IOException {
        Optional<Long> pid = pid(member);
        if (pid.isPresent()) {
            // Every shell has the command built in. Who ends meanwhile has got what it was to get.
            Programs.run(List.of("sh", "-c", "kill -s " + signal + " " + pid.get() + " || true"), Map.of(), BRIEF);
        }
    }

    /** Drops what a node and its peers say to each other; store, engine and clients still reach it. */
    synchronized void cutOff(int node) throws IOException {
        for (String side : List.of("-s", "-d")) {
            List<String> rule = List.of(
                    "INPUT",
                    side,
                    Layout.host(node),
                    "-p",
                    "tcp",
                    "--dport",
                    Integer.toString(layout.portBase),
                    "-j",
                    "DROP");
            firewall("-I", rule);
            rules.add(rule);
        }
    }

    /** Lets everybody speak to everybody again. */
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

    /** Ends all of it, and takes its data away. */
    @Override
    public void close() throws IOException {
        heal();
        command("down", "--purge");
    }

    /** The same, when there is nobody left to tell but the terminal. */
    void closeOrSay() {
        try {
            close();
        } catch (IOException left) {
            System.err.println("vivarium bench: the cluster is left: " + left.getMessage());
        }
    }
}
