package dev.vivarium.node.network;

import com.google.common.net.InetAddresses;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.network.Attachments.Attachment;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.io.Closeable;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The networks of this node's sandboxes, on this machine. The packet filter is the same for all sandboxes. It is in
 * force before the first one, and stays after the node ends, until the next incarnation replaces it: a killed node
 * leaves no gap, and nothing that is in the way of others.
 */
public final class EgressNetwork implements SandboxNetwork, EgressSubjects {
    private static final Logger LOG = LoggerFactory.getLogger(EgressNetwork.class);

    private final EgressSettings settings;
    private final NodeMark mark;
    private final NodeClaim claim;
    private final AddressBlock addresses;
    private final Links links;
    private final PacketFilter filter;
    private final RoutingGuard guard;
    private final Attachments attachments = new Attachments();
    /** The addresses of sandboxes that wait with a link. */
    private final Map<SandboxId, String> prepared = new ConcurrentHashMap<>();

    private final EgressMeter meter;
    private final NetworkWatch watch;
    private volatile boolean open;

    /**
     * Opens the network of a node.
     *
     * @throws IOException with the end of a sentence, when this machine or the node's permissions do not allow it
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
        this.links = new Links(addresses.own(), Links.mtuOutwards(), settings.rates(), settings.programs());
        this.guard = new RoutingGuard(addresses.own(), addresses.cidr(), settings.gatewayPorts());
        this.filter = new PacketFilter(new RuleSet(
                mark,
                addresses.own(),
                addresses.cidr(),
                settings.blocked().ipv4Cidrs(),
                settings.gatewayPorts(),
                settings.connectionsMax(),
                settings.rates().packetsPerSecond()));
        this.meter = new EgressMeter(mark, filter, attachments);
        this.watch = new NetworkWatch(mark, filter, guard, attachments);
    }

    private void start() throws IOException {
        if (!KernelSetting.read("ipv4/ip_forward").equals("1")) {
            throw new IOException("this machine does not forward packets (sysctl -w net.ipv4.ip_forward=1 lets it).");
        }
        links.requireConnections();
        filter.open();
        // The filter first, then whatever sandboxes can talk to.
        filter.install();
        if (!filter.stands()) {
            throw new IOException("the kernel has not taken the packet filter as it was given.");
        }
        guard.install();
        // A sandbox of an earlier incarnation may still be dying; its policy is no longer known.
        for (String left : Links.of(mark)) {
            links.cut(left);
        }
        links.open(mark.ownInterface());
        EngineChain.letPass(mark);
        DeadNodes.sweep(mark);
        open = true;
        watch.start(settings, meter);
    }

    /** The sandbox with this address. */
    @Override
    public Optional<EgressSubject> at(InetAddress source) {
        return attachments.at(source);
    }

    /** Records what the resolver and the gateway see. */
    public EgressLedger ledger() {
        return meter.ledger();
    }

    /** The node's address towards its sandboxes. */
    public Inet4Address address() {
        return (Inet4Address) InetAddresses.forString(addresses.own());
    }

    PacketFilter filter() {
        return filter;
    }

    NodeMark mark() {
        return mark;
    }

    // ---- attaching sandboxes

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
    public Map<String, String> attach(SandboxHandle sandbox, NetworkAccess access) {
        if (access.policy().mode() == EgressPolicy.Mode.NONE) {
            return Map.of();
        }
        return attach(sandbox.id(), firstProcess(sandbox), access);
    }

    private static ProcessHandle firstProcess(SandboxHandle sandbox) {
        return sandbox.initProcess()
                .orElseThrow(() -> new DriverException(
                        DriverException.Kind.REFUSED,
                        "The container engine runs sandboxes where this node cannot give them a network: use egress"
                                + " mode none, or have the operator run the node beside its engine."));
    }

    /**
     * While it waits, its packets pass the filter like any other's, but the resolver and the gateway do not know it, and
     * no process of an agent is in it. So the watch's last look at the filter suffices.
     */
    @Override
    public void prepare(SandboxHandle waiting) {
        ProcessHandle first = firstProcess(waiting);
        require(watch.stood());
        String address = takeAddress();
        try {
            links.connect(link(address, EgressPolicy.Mode.PUBLIC), first.pid(), address, true);
            prepared.put(waiting.id(), address);
        } catch (IOException failed) {
            LOG.warn("Sandbox {}, which waits, gets no link: {}", waiting.id(), failed.getMessage());
            cut(address, link(address, EgressPolicy.Mode.PUBLIC));
            throw new DriverException(DriverException.Kind.REFUSED, "The sandbox could not be given its link.", failed);
        }
    }

    Map<String, String> attach(SandboxId id, ProcessHandle first, NetworkAccess access) {
        Optional<String> ready = Optional.ofNullable(prepared.remove(id));
        if (ready.isPresent() && access.policy().mode() == EgressPolicy.Mode.PUBLIC) {
            admit(id, ready.get(), access);
            return Map.of();
        }
        ready.ifPresent(address -> cut(address, link(address, EgressPolicy.Mode.PUBLIC)));
        String address = connect(id, access.policy(), access.connectionsMax(), first.pid());
        // The process id could have been reused meanwhile, and its new owner would have the network.
        if (!first.isAlive()) {
            detach(id);
            throw new DriverException(
                    DriverException.Kind.GUEST_SILENT, "The sandbox ended while it was given its network.");
        }
        return access.policy().mode() == EgressPolicy.Mode.ALLOWLIST
                ? ProxyVariables.of(addresses.own(), settings.proxyPort(), address)
                : Map.of();
    }

    /**
     * Puts the policy of a prepared sandbox in force. The filter was in place when its link was made; if it is not any more,
     * nothing has a route ({@link RoutingGuard}), and the next look mends it.
     */
    private void admit(SandboxId id, String address, NetworkAccess access) {
        Attachment sandbox = new Attachment(
                address,
                link(address, EgressPolicy.Mode.PUBLIC),
                new EgressSubject(id, access.policy(), access.connectionsMax(), new HeldSecrets()));
        meter.begin(sandbox);
        attachments.begin(sandbox);
        try {
            filter.allotSoon(address, access.connectionsMax());
            attachments.complete(sandbox);
        } catch (IOException failed) {
            LOG.warn("Sandbox {} gets no network: {}", id, failed.getMessage());
            attachments.abandon(sandbox);
            cut(sandbox);
            throw new DriverException(
                    DriverException.Kind.REFUSED, "The sandbox could not be given its network.", failed);
        }
    }

    private void require(boolean filterStands) {
        if (!open || !filterStands) {
            refuse("The packet filter of this node is not as it was installed, so sandboxes get no network until it is"
                    + " again.");
        }
    }

    private String takeAddress() {
        return addresses
                .take()
                .orElseThrow(() -> new DriverException(
                        DriverException.Kind.REFUSED, "All addresses of this node are in use by other sandboxes."));
    }

    /** Returns the sandbox's address. */
    private String connect(SandboxId id, EgressPolicy policy, long connectionsMax, long firstProcess) {
        require(filter.stands());
        String address = takeAddress();
        Attachment sandbox = new Attachment(
                address,
                link(address, policy.mode()),
                new EgressSubject(id, policy, connectionsMax, new HeldSecrets()));
        meter.begin(sandbox);
        attachments.begin(sandbox);
        try {
            if (sandbox.isPublic()) {
                filter.allot(Map.of(address, connectionsMax));
            }
            links.connect(sandbox.link(), firstProcess, address, sandbox.isPublic());
            attachments.complete(sandbox);
            return address;
        } catch (IOException failed) {
            LOG.warn("Sandbox {} gets no network: {}", id, failed.getMessage());
            attachments.abandon(sandbox);
            cut(sandbox);
            throw new DriverException(
                    DriverException.Kind.REFUSED, "The sandbox could not be given its network.", failed);
        }
    }

    @Override
    public void entrust(SandboxId id, Map<String, String> secrets) {
        attachments.of(id).ifPresent(sandbox -> sandbox.subject().secrets().hold(secrets));
    }

    private static void refuse(String sentence) {
        throw new DriverException(DriverException.Kind.REFUSED, sentence);
    }

    @Override
    public void detach(SandboxId id) {
        attachments.remove(id).ifPresent(this::cut);
        Optional.ofNullable(prepared.remove(id))
                .ifPresent(address -> cut(address, link(address, EgressPolicy.Mode.PUBLIC)));
    }

    /** The kernel also removes a link with its sandbox, but takes its time. */
    private void cut(Attachment sandbox) {
        meter.forget(sandbox);
        sandbox.subject().secrets().wipe();
        cut(sandbox.address(), sandbox.link());
    }

    /** Most short runs send nothing, and then the kernel's long lists need not be read. */
    private void cut(String address, String link) {
        boolean silent = Links.isSilent(link);
        try {
            links.cut(link);
        } catch (IOException goneMeanwhile) {
            silent = false;
            LOG.debug("The link of {} was gone: {}", address, goneMeanwhile.getMessage());
        }
        try {
            if (silent) {
                filter.forgetSilent(address);
            } else {
                links.forgetConnections(address);
                filter.forget(address);
            }
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
        return attachments.of(id).map(meter::use).orElse(EgressUse.NOTHING);
    }

    @Override
    public EgressUse useNow(SandboxId id) {
        Optional<Attachment> sandbox = attachments.of(id);
        if (sandbox.isEmpty()) {
            return EgressUse.NOTHING;
        }
        if (Links.isSilent(sandbox.get().link())) {
            return meter.useOfSilent(sandbox.get());
        }
        meter.countAll();
        return meter.use(sandbox.get());
    }

    @Override
    public void close() {
        open = false;
        watch.close();
        try (claim;
                links;
                filter) {
            if (attachments.isEmpty() && prepared.isEmpty()) {
                EngineChain.forget(mark);
                Links.remove(mark.ownInterface());
                // The filter goes last, when nothing needs it any more.
                filter.remove();
                guard.remove();
            }
        } catch (IOException failed) {
            LOG.warn("The packet filter stays until the next start: {}", failed.getMessage());
        }
    }
}
