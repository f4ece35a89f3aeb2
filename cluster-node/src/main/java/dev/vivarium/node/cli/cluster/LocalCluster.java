package dev.vivarium.node.cli.cluster;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.Credentials;
import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StorePreparer;
import dev.vivarium.node.certificates.Authority;
import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import dev.vivarium.node.cli.cluster.Member.Signal;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.persistence.cassandra.LocalCassandra;
import dev.vivarium.protocol.run.TimeSpan;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A Cassandra and several nodes on this machine, by their folder. No state is kept in memory: each command checks what is
 * running, and does what is missing.
 */
public final class LocalCluster {
    /** The names of members: {@code node-1} and so on, and the store. */
    public static final String STORE = "store";

    private static final String NODE_PREFIX = "node-";
    private static final Duration STORE_START_MAX = Duration.ofMinutes(3);
    private static final Duration NODE_START_MAX = Duration.ofMinutes(3);
    private static final Duration END_MAX = Duration.ofSeconds(60);
    private static final Duration LAST_CHANCE = Duration.ofSeconds(1);
    private static final int SECRET_BYTES = 32;

    private final Path folder;
    private final Surroundings around;

    /**
     * The environment of a cluster.
     *
     * @param storePreparer creates the schema
     * @param storeClassPath the class path of a Cassandra server
     * @param environment the variables of this process
     * @param home the home of the nodes, with the token of this machine's operator
     * @param root the folder of the launcher
     * @param progress receives sentences about what is being done
     * @param clock measures timeouts of members
     */
    public record Surroundings(
            StorePreparer storePreparer,
            String storeClassPath,
            Map<String, String> environment,
            Path home,
            Path root,
            Consumer<String> progress,
            NodeClock clock) {}

    public LocalCluster(Path folder, Surroundings around) {
        this.folder = folder.toAbsolutePath().normalize();
        this.around = around;
    }

    public Path folder() {
        return folder;
    }

    /** Its plan; a problem if there never was a cluster in this folder. */
    public ClusterPlan plan() throws ClusterProblem, IOException {
        return saved().orElseThrow(() -> new ClusterProblem(
                Kind.NOT_FOUND, "there is no cluster in " + folder + ": `vivarium cluster up` makes one."));
    }

    /** The plan of the last {@code up} in this folder. */
    public Optional<ClusterPlan> saved() throws IOException {
        return ClusterPlan.read(folder.resolve("cluster.json"));
    }

    public Member store() {
        return new Member(STORE, folder.resolve(STORE), around.clock());
    }

    public Member node(int number) {
        return new Member(NODE_PREFIX + number, folder.resolve(NODE_PREFIX + number), around.clock());
    }

    /** The member that a user names: {@code 2}, {@code node-2} or {@code store}. */
    public Member member(String named) throws ClusterProblem, IOException {
        return named.equals(STORE) ? store() : node(number(named));
    }

    private int number(String named) throws ClusterProblem, IOException {
        int nodes = plan().nodes();
        String number = named.startsWith(NODE_PREFIX) ? named.substring(NODE_PREFIX.length()) : named;
        if (!number.matches("[1-9]") || Integer.parseInt(number) > nodes) {
            throw new ClusterProblem(
                    Kind.NOT_FOUND,
                    "there is no member '" + named + "': this cluster has "
                            + (nodes == 1 ? "node 1" : "the nodes 1 to " + nodes) + ", and the store.");
        }
        return Integer.parseInt(number);
    }

    // ---- up

    /** Starts members that are not running, and returns when all are ready. */
    public void up(ClusterPlan wanted) throws ClusterProblem, NodeStartException, IOException, InterruptedException {
        ClusterPlan plan = wanted.required();
        CassandraCommand cassandra = CassandraCommand.find(around.storeClassPath(), around.environment());
        refuseOtherPlan(plan);
        makeFolder();
        FileChannel lock = lock();
        try {
            requireFree(plan);
            plan.write(folder.resolve("cluster.json"));
            certificates(plan);
            startStore(plan, cassandra);
            around.progress()
                    .accept(around.storePreparer().prepare(Optional.of(folder.resolve("node.conf")), plan.settings()));
            List<Integer> missing = IntStream.rangeClosed(1, plan.nodes())
                    .filter(node -> node(node).process().isEmpty())
                    .boxed()
                    .toList();
            for (int node : missing) {
                around.progress().accept("starting node-" + node + " at " + plan.api(node) + ".");
                launch(plan, node);
            }
            for (int node = 1; node <= plan.nodes(); node++) {
                awaitReady(plan, node);
            }
        } finally {
            lock.close();
        }
    }

    private void refuseOtherPlan(ClusterPlan plan) throws ClusterProblem, IOException {
        Optional<ClusterPlan> saved = saved();
        if (saved.isEmpty()) {
            return;
        }
        if (plan.nodes() < saved.get().nodes()) {
            throw new ClusterProblem(
                    Kind.USAGE,
                    "the cluster in " + folder + " has " + saved.get().nodes()
                            + " nodes, and this would leave some out: stop those with `vivarium cluster stop`, or begin"
                            + " again after `vivarium cluster down --purge`.");
        }
        boolean moved = plan.httpPort() != saved.get().httpPort()
                || plan.portBase() != saved.get().portBase();
        if (moved && !running().isEmpty()) {
            throw new ClusterProblem(
                    Kind.USAGE,
                    "the cluster in " + folder + " runs at other ports (--http-port "
                            + saved.get().httpPort() + " --port-base "
                            + saved.get().portBase()
                            + "): `vivarium cluster down` first, or give another --folder.");
        }
    }

    private void makeFolder() throws IOException {
        Files.createDirectories(folder);
        // It contains secrets and runs' output.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        Path secret = folder.resolve("secret");
        if (!Files.exists(secret)) {
            byte[] random = new byte[SECRET_BYTES];
            new SecureRandom().nextBytes(random);
            Files.writeString(secret, HexFormat.of().formatHex(random) + "\n");
        }
    }

    /** A certificate for each node, by which the others know it: issued where it is missing, and renewed in its last third. */
    private void certificates(ClusterPlan plan) throws NodeStartException, IOException {
        Authority authority = Authority.of(certificates(), ClusterPlan.NAME, Clock.systemUTC());
        for (int number = 1; number <= plan.nodes(); number++) {
            String name = node(number).name();
            Optional<Authority.Issued> before = authority.issued(name);
            if (before.isEmpty()) {
                authority.issue(name, List.of(ClusterPlan.host(number)), Authority.LIFE);
            } else if (authority.isDue(before.get())) {
                authority.renew(before.get());
                around.progress().accept("the certificate of " + name + " is renewed.");
            }
        }
    }

    private Path certificates() {
        return folder.resolve("certificates");
    }

    private FileChannel lock() throws ClusterProblem, IOException {
        FileChannel channel =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        Optional<FileLock> lock;
        try {
            lock = Optional.ofNullable(channel.tryLock());
        } catch (OverlappingFileLockException ours) {
            lock = Optional.empty();
        }
        if (lock.isEmpty()) {
            channel.close();
            throw new ClusterProblem(
                    Kind.BUSY, "another `vivarium cluster` is at work in " + folder + ": wait for it and try again.");
        }
        return channel;
    }

    /** Refuses ports that are in use, before anything is started. */
    private void requireFree(ClusterPlan plan) throws ClusterProblem {
        if (store().process().isEmpty()) {
            Ports.requireFreeForStore(plan);
        }
        for (int node = 1; node <= plan.nodes(); node++) {
            if (node(node).process().isEmpty()) {
                Ports.requireFreeForNode(plan, node);
            }
        }
    }

    // ---- one member

    /** Starts a member, if it is not running, and returns when it is ready. */
    public void start(String named) throws ClusterProblem, NodeStartException, IOException, InterruptedException {
        ClusterPlan plan = plan();
        Member member = member(named);
        if (member.name().equals(STORE)) {
            if (member.process().isEmpty()) {
                Ports.requireFreeForStore(plan);
            }
            startStore(plan, CassandraCommand.find(around.storeClassPath(), around.environment()));
            return;
        }
        int node = number(named);
        if (member.process().isEmpty()) {
            Ports.requireFreeForNode(plan, node);
            certificates(plan);
            launch(plan, node);
        }
        awaitReady(plan, node);
    }

    private void startStore(ClusterPlan plan, CassandraCommand cassandra)
            throws ClusterProblem, IOException, InterruptedException {
        Files.writeString(
                folder.resolve("node.conf"), plan.nodeConfiguration(folder, certificates(), LocalCassandra.DATACENTER));
        Member store = store();
        if (store.process().isEmpty()) {
            around.progress().accept("starting Cassandra at 127.0.0.1:" + plan.storePort() + ".");
            store.start(
                    cassandra.java(),
                    cassandra.prepare(store.folder(), plan.storePort(), plan.storeInternalPort()),
                    Map.of());
        }
        refuseFrozen(store);
        store.awaitReady(() -> Ports.accepts(plan.storePort()), STORE_START_MAX);
    }

    /** A node starts in its own folder, where a relative home means something else. */
    private void launch(ClusterPlan plan, int number) throws IOException {
        node(number)
                .start(
                        NodeCommand.java(),
                        new NodeCommand(folder, around).words(plan, number, node(number)),
                        Map.of("VIVARIUM_HOME", around.home().toString()));
    }

    /** A probe of a node, with the credentials that a command for it would have. */
    NodeProbe probe(ClusterPlan plan, int number) {
        URI api = plan.api(number);
        return new NodeProbe(api, Credentials.find(api, around.environment(), around.home()));
    }

    private void awaitReady(ClusterPlan plan, int number) throws ClusterProblem, IOException, InterruptedException {
        Member node = node(number);
        refuseFrozen(node);
        NodeProbe probe = probe(plan, number);
        node.awaitReady(() -> probe.health() == ApiClient.Health.READY, NODE_START_MAX);
    }

    private static void refuseFrozen(Member member) throws ClusterProblem {
        if (member.isFrozen()) {
            throw new ClusterProblem(Kind.UNAVAILABLE, member.name() + " is frozen: `vivarium cluster thaw` wakes it.");
        }
    }

    /** Kills a member, and returns when its process is gone. Returns whether there was one. */
    public boolean kill(String named) throws ClusterProblem, IOException, InterruptedException {
        Member member = member(named);
        boolean ran = member.process().isPresent();
        end(member, Signal.KILL, END_MAX);
        return ran;
    }

    /** Stops a member in order, a node after its drain, and waits for its end. Returns whether it was running. */
    public boolean stop(String named) throws ClusterProblem, IOException, InterruptedException {
        Member member = member(named);
        boolean ran = member.process().isPresent();
        refuseFrozen(member);
        end(member, Signal.TERM, TimeSpan.parse(plan().drain()).duration().plus(END_MAX));
        return ran;
    }

    private static void end(Member member, Signal signal, Duration atMost)
            throws ClusterProblem, IOException, InterruptedException {
        if (!member.end(signal, atMost)) {
            throw new ClusterProblem(
                    Kind.UNAVAILABLE,
                    member.name() + " is still there after " + atMost.toSeconds() + " s; see " + member.log()
                            + ". `vivarium cluster kill` ends it.");
        }
    }

    /** Suspends a member, or resumes it. */
    public void signal(String named, Signal signal) throws ClusterProblem, IOException, InterruptedException {
        Member member = member(named);
        if (member.process().isEmpty()) {
            throw new ClusterProblem(Kind.NOT_FOUND, member.name() + " does not run.");
        }
        member.signal(signal);
    }

    // ---- down

    /** Stops all members, nodes first, with their sandboxes. Keeps the data. */
    public void down() throws ClusterProblem, IOException, InterruptedException {
        plan();
        FileChannel lock = lock();
        try {
            List<Member> nodes = running().stream()
                    .filter(member -> !member.name().equals(STORE))
                    .toList();
            for (Member node : nodes) {
                node.signal(Signal.TERM);
                node.signal(Signal.CONT);
            }
            for (Member node : nodes) {
                if (!node.awaitEnd(LAST_CHANCE)) {
                    // The second signal ends live runs, and destroys every sandbox.
                    node.signal(Signal.TERM);
                }
            }
            for (Member node : nodes) {
                end(node);
            }
            Member store = store();
            store.signal(Signal.TERM);
            store.signal(Signal.CONT);
            end(store);
        } finally {
            lock.close();
        }
    }

    private void end(Member member) throws ClusterProblem, IOException, InterruptedException {
        if (!member.awaitEnd(END_MAX)) {
            around.progress().accept(member.name() + " does not end, and is killed.");
            end(member, Signal.KILL, END_MAX);
        }
    }

    /** Deletes all data. No member may be running. */
    public void purge() throws ClusterProblem, IOException {
        if (!running().isEmpty()) {
            throw new ClusterProblem(Kind.BUSY, "the cluster in " + folder + " runs.");
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** The running members, by number, the store last. */
    public List<Member> running() {
        return Stream.concat(IntStream.rangeClosed(1, ClusterPlan.NODES_MAX).mapToObj(this::node), Stream.of(store()))
                .filter(member -> member.process().isPresent())
                .toList();
    }
}
