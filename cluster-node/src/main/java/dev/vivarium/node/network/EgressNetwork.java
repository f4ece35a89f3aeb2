package dev.vivarium.node.network;

import com.google.common.net.InetAddresses;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.EgressReach;
import dev.vivarium.protocol.run.RunEvent;
import java.io.Closeable;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The networks of this node's sandboxes, on this machine. The packet filter stands before there is a sandbox, is the same
 * for all of them, and stays when the node goes, until its next life puts its own in its place: a node that is killed
 * leaves no hole, and nothing that is in anybody's way.
 */
public final class EgressNetwork implements SandboxNetwork, EgressSubjects {
    private static final Logger LOG = LoggerFactory.getLogger(EgressNetwork.class);
    private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");
    private static final String NOT_PROXIED = "localhost,127.0.0.1";

    private final EgressSettings settings;
    private final NodeMark mark;
    private final NodeClaim claim;
    private final AddressBlock addresses;
    private final Links links;
    private final PacketFilter filter;
    private final Map<SandboxId, String> attached = new ConcurrentHashMap<>();
    private final Map<String, EgressSubject> subjects = new ConcurrentHashMap<>();
    private final EgressCounts counts = new EgressCounts();
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "vivarium-egress");
        thread.setDaemon(true);
        return thread;
    });
    private final List<ScheduledFuture<?>> tasks = new ArrayList<>();
    private volatile Map<String, Long> opened = Map.of();
    private volatile Map<String, Long> denied = Map.of();
    private volatile Map<String, List<EgressDenial>> denials = Map.of();
    private volatile Map<String, List<EgressReach>> reaches = Map.of();
    private final Map<String, EgressUse.Traffic> traffic = new ConcurrentHashMap<>();
    private volatile boolean open;

    /**
     * Opens the network of a node.
     *
     * @throws IOException with the end of a sentence, when this machine or this node's rights do not allow it
     */
    public static EgressNetwork open(String installation, String node, EgressSettings settings) throws IOException {
        NodeMark mark = NodeMark.of(installation, node);
        NodeClaim claim = NodeClaim.of(mark)
                .orElseThrow(() -> new IOException("another node of this name and installation runs on this machine."));
        synchronized (EgressNetwork.class) {
            Closeable turn = NodeClaim.turn();
            try (turn) {
                return open(mark, claim, settings);
            }
        }
    }

    private static EgressNetwork open(NodeMark mark, NodeClaim claim, EgressSettings settings) throws IOException {
        EgressNetwork network;
        try {
            network = new EgressNetwork(mark, claim, settings);
        } catch (IOException noAddresses) {
            claim.close();
            throw noAddresses;
        }
        try {
            network.start();
            return network;
        } catch (IOException impossible) {
            network.close();
            throw impossible;
        }
    }

    private EgressNetwork(NodeMark mark, NodeClaim claim, EgressSettings settings) throws IOException {
        this.claim = claim;
        this.settings = settings;
        this.mark = mark;
        this.addresses = AddressBlock.in(settings.pool(), mark);
        this.links = new Links(addresses.own());
        this.filter = new PacketFilter(new RuleSet(
                mark,
                addresses.own(),
                addresses.cidr(),
                settings.blocked().ipv4Cidrs(),
                settings.gatewayPorts(),
                settings.connectionsMax()));
    }

    private void start() throws IOException {
        if (!Files.readString(FORWARDING).strip().equals("1")) {
            throw new IOException("this machine does not forward packets (sysctl -w net.ipv4.ip_forward=1 lets it).");
        }
        // First the walls, then the doors.
        filter.install();
        if (!filter.stands()) {
            throw new IOException("the kernel has not taken the packet filter as it was given.");
        }
        // A sandbox that an earlier life of this node left may still be dying; nobody knows any more who it is.
        for (String left : Links.of(mark)) {
            Links.remove(left);
        }
        links.open(mark.ownInterface());
        EngineChain.letPass(mark);
        DeadNodes.sweep(mark);
        open = true;
        again(this::check, settings.checkInterval());
        again(this::count, settings.countInterval());
    }

    /** What the task throws is told and does not end it. */
    private void again(Runnable task, Duration interval) {
        Runnable told = () -> {
            try {
                task.run();
            } catch (RuntimeException failed) {
                LOG.error("Watching the network of sandboxes failed, and goes on.", failed);
            }
        };
        tasks.add(watch.scheduleWithFixedDelay(told, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** Who is behind an address of a sandbox. */
    @Override
    public Optional<EgressSubject> at(InetAddress source) {
        return Optional.ofNullable(subjects.get(source.getHostAddress()));
    }

    /** Where what the resolver and the gateway see is counted. */
    public EgressLedger ledger() {
        return counts;
    }

    /** The node's address towards its sandboxes. */
    public Inet4Address address() {
        return (Inet4Address) InetAddresses.forString(addresses.own());
    }

    NodeMark mark() {
        return mark;
    }

    // ---- for sandboxes

    @Override
    public Set<EgressPolicy.Mode> modes() {
        return Set.of(EgressPolicy.Mode.values());
    }

    @Override
    public Optional<String> refusal(EgressPolicy.Mode mode) {
        return Optional.empty();
    }

    @Override
    public Optional<String> resolver() {
        return Optional.of(addresses.own());
    }

    @Override
    public Map<String, String> environment(EgressPolicy policy) {
        if (policy.mode() != EgressPolicy.Mode.ALLOWLIST) {
            return Map.of();
        }
        String proxy = "http://" + addresses.own() + ":" + settings.proxyPort();
        // Tools do not agree on the case.
        return Map.of(
                "http_proxy", proxy,
                "https_proxy", proxy,
                "HTTP_PROXY", proxy,
                "HTTPS_PROXY", proxy,
                "no_proxy", NOT_PROXIED,
                "NO_PROXY", NOT_PROXIED);
    }

    @Override
    public void attach(SandboxHandle sandbox, NetworkAccess access) {
        if (access.policy().mode() == EgressPolicy.Mode.NONE) {
            return;
        }
        ProcessHandle first = sandbox.initProcess()
                .orElseThrow(() -> new DriverException(
                        DriverException.Kind.REFUSED,
                        "The container engine runs sandboxes where this node cannot give them a network: use egress"
                                + " mode none, or have the operator run the node beside its engine."));
        connect(sandbox.id(), access.policy(), access.connectionsMax(), first.pid());
        // Its number could have been given to a stranger meanwhile, who would have the network now.
        if (!first.isAlive()) {
            detach(sandbox.id());
            throw new DriverException(
                    DriverException.Kind.GUEST_SILENT, "The sandbox ended while it was given its network.");
        }
    }

    private void connect(SandboxId id, EgressPolicy policy, long connectionsMax, long firstProcess) {
        if (!open || !filter.stands()) {
            refuse("The packet filter of this node is not as it was put in, so sandboxes get no network until it is"
                    + " again.");
        }
        String address = addresses
                .take()
                .orElseThrow(() -> new DriverException(
                        DriverException.Kind.REFUSED, "All addresses of this node are in use by other sandboxes."));
        try {
            counts.begin(id);
            subjects.put(address, new EgressSubject(id, policy, connectionsMax, new HeldSecrets()));
            if (policy.mode() == EgressPolicy.Mode.PUBLIC) {
                filter.allot(Map.of(address, connectionsMax));
            }
            links.connect(
                    link(address, policy.mode()), firstProcess, address, policy.mode() == EgressPolicy.Mode.PUBLIC);
            attached.put(id, address);
        } catch (IOException failed) {
            LOG.warn("Sandbox {} gets no network: {}", id, failed.getMessage());
            counts.forget(id);
            cut(address);
            throw new DriverException(
                    DriverException.Kind.REFUSED, "The sandbox could not be given its network.", failed);
        }
    }

    @Override
    public void entrust(SandboxId id, Map<String, String> secrets) {
        String address = attached.get(id);
        EgressSubject subject = address == null ? null : subjects.get(address);
        if (subject != null) {
            subject.secrets().hold(secrets);
        }
    }

    private static void refuse(String sentence) {
        throw new DriverException(DriverException.Kind.REFUSED, sentence);
    }

    @Override
    public void detach(SandboxId id) {
        String address = attached.remove(id);
        if (address != null) {
            counts.forget(id);
            cut(address);
        }
    }

    /** The kernel removes a link with its sandbox, but takes its time. */
    private void cut(String address) {
        EgressSubject subject = subjects.remove(address);
        traffic.remove(address);
        if (subject != null) {
            subject.secrets().wipe();
        }
        try {
            if (subject != null) {
                Links.remove(link(address, subject.policy().mode()));
            }
        } catch (IOException goneMeanwhile) {
            LOG.debug("The link of {} was gone: {}", address, goneMeanwhile.getMessage());
        }
        try {
            filter.forget(address);
            addresses.giveBack(address);
        } catch (IOException failed) {
            LOG.warn("The address {} is not given to another sandbox: {}", address, failed.getMessage());
        }
    }

    private String link(String address, EgressPolicy.Mode mode) {
        String links = mode == EgressPolicy.Mode.PUBLIC ? mark.publicLinks() : mark.listedLinks();
        return links + addresses.offset(address);
    }

    @Override
    public EgressUse use(SandboxId id) {
        String address = attached.get(id);
        if (address == null) {
            return EgressUse.NOTHING;
        }
        List<EgressDenial> tried = new ArrayList<>(denials.getOrDefault(address, List.of()));
        tried.addAll(counts.denials(id));
        List<EgressReach> reached = new ArrayList<>(reaches.getOrDefault(address, List.of()));
        reached.addAll(counts.reaches(id));
        return new EgressUse(
                opened.getOrDefault(address, 0L) + counts.opened(id),
                new EgressUse.Reached(
                        reached.size(),
                        reached.stream()
                                .sorted(Comparator.comparingLong(EgressReach::count)
                                        .reversed())
                                .limit(RunEvent.EgressUsed.REACHES_MAX)
                                .toList()),
                traffic.getOrDefault(address, EgressUse.Traffic.NOTHING),
                denied.getOrDefault(address, 0L) + counts.denied(id),
                tried.size(),
                tried.stream()
                        .sorted(Comparator.comparingLong(EgressDenial::count).reversed())
                        .limit(RunEvent.EgressDenied.DENIALS_MAX)
                        .toList());
    }

    @Override
    public EgressUse useNow(SandboxId id) {
        String address = attached.get(id);
        if (address != null) {
            countAll();
        }
        return use(id);
    }

    // ---- watching

    /** Whoever reloads the machine's packet filter takes ours away too. It is put back at once, and that is told. */
    private void check() {
        if (filter.stands()) {
            return;
        }
        LOG.error("The packet filter of this node's sandboxes was changed by somebody else; it is put in again.");
        try {
            filter.install();
            filter.allot(subjects.entrySet().stream()
                    .filter(one -> one.getValue().policy().mode() == EgressPolicy.Mode.PUBLIC)
                    .collect(Collectors.toMap(
                            Map.Entry::getKey, one -> one.getValue().connectionsMax())));
            EngineChain.letPass(mark);
        } catch (IOException failed) {
            LOG.error(
                    "Sandboxes may reach what they must not: the packet filter cannot be put in again: {}",
                    failed.getMessage());
        }
    }

    private synchronized void count() {
        if (attached.isEmpty()) {
            return;
        }
        try {
            countTraffic();
            opened = filter.counted(RuleSet.OPENED);
            Map<String, Long> now = filter.counted(RuleSet.REFUSED);
            if (!now.equals(denied)) {
                denials = filter.denied();
                denied = now;
            }
        } catch (IOException unanswered) {
            tellUncounted(unanswered);
        }
    }

    /** Rarer than the rest, and by one program: at a sandbox's end somebody waits for it. */
    private synchronized void countAll() {
        try {
            countTraffic();
            PacketFilter.Counts all = filter.all();
            opened = all.opened();
            denied = all.refused();
            denials = all.denied();
            reaches = all.reached();
        } catch (IOException unanswered) {
            tellUncounted(unanswered);
        }
    }

    private void countTraffic() throws IOException {
        Map<String, EgressUse.Traffic> byLink = Links.traffic(mark);
        subjects.forEach((address, subject) -> {
            EgressUse.Traffic seen = byLink.get(link(address, subject.policy().mode()));
            if (seen != null) {
                traffic.put(address, seen);
            }
        });
    }

    private static void tellUncounted(IOException unanswered) {
        LOG.warn("What sandboxes did with their network cannot be counted: {}", unanswered.getMessage());
    }

    @Override
    public void close() {
        open = false;
        tasks.forEach(task -> task.cancel(false));
        watch.shutdown();
        try (claim) {
            if (attached.isEmpty()) {
                EngineChain.forget(mark);
                Links.remove(mark.ownInterface());
                // The walls last, when nothing is left that they could be for.
                filter.remove();
            }
        } catch (IOException failed) {
            LOG.warn("The packet filter stays until the next start: {}", failed.getMessage());
        }
    }
}
