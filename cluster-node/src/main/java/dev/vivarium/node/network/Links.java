package dev.vivarium.node.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The links between the node and its sandboxes: a pair of virtual interfaces for each, point to point, so that no
 * sandbox has a neighbour to spy on or to deceive. The kernel removes a link with its sandbox.
 */
final class Links implements AutoCloseable {
    /** The prefix of the interfaces of all Vivarium nodes. */
    static final String ALL = "vv";

    private static final Pattern OWN = Pattern.compile(ALL + "([0-9a-f]{6})");
    private static final Path INTERFACES = Path.of("/sys/class/net");
    private static final Path COUNTERS = Path.of("/proc/net/dev");
    private static final Pattern COUNTED = Pattern.compile(" *([^: ]+): *([0-9]+)(?: +[0-9]+){7} +([0-9]+) .*");
    private static final Pattern ADDRESS = Pattern.compile("inet ([0-9.]+)/");
    private static final int ETHERNET_MTU = 1500;
    private static final Pattern DEFAULT_ROUTE = Pattern.compile("^default .*?dev (\\S+)", Pattern.MULTILINE);
    private final String own;
    private final int mtu;
    private final LinkRates rates;
    private final LinkProgram makes;
    /** Beside the other, since the kernel takes long to remove a link. */
    private final LinkProgram removes;

    /**
     * The links of a node.
     *
     * @param own the node's address, as sandboxes see it
     * @param mtu the largest packet that leaves unfragmented; sandboxes do not learn of a smaller path MTU
     * @param rates the rate limits of each sandbox
     * @param programs the folder of the node's programs
     */
    Links(String own, int mtu, LinkRates rates, Path programs) {
        this.own = own;
        this.mtu = mtu;
        this.rates = rates;
        this.makes = new LinkProgram(programs);
        this.removes = new LinkProgram(programs);
    }

    /**
     * Creates a sandbox's link. It has a route to the node and, if requested, a default route.
     *
     * @param pid a process in the sandbox
     */
    void connect(String link, long pid, String address, boolean everywhere) throws IOException {
        makes.run(
                "connect",
                link,
                Long.toString(pid),
                address,
                own,
                Integer.toString(mtu),
                Long.toString(rates.bytesPerSecond()),
                Long.toString(rates.burst()),
                Long.toString(rates.limit()),
                everywhere ? "everywhere" : "node");
    }

    /** Removes a link if it exists. */
    void cut(String link) throws IOException {
        removes.run("remove", link);
    }

    /** Deletes all entries in the kernel's table of connections that originated from an address: they would stay for days. */
    void forgetConnections(String address) throws IOException {
        removes.run("forget", address);
    }

    /** @throws IOException with the end of a sentence, when they cannot be deleted on this machine */
    void requireConnections() throws IOException {
        try {
            forgetConnections(own);
        } catch (IOException failed) {
            throw new IOException(
                    "what sandboxes leave in the kernel's table of connections cannot be deleted: "
                            + failed.getMessage(),
                    failed);
        }
    }

    @Override
    public void close() {
        makes.close();
        removes.close();
    }

    /** The largest packet that leaves unfragmented by the default route; at most Ethernet's. */
    static int mtuOutwards() throws IOException {
        Matcher route = DEFAULT_ROUTE.matcher(KernelCommand.run("", "ip", "-4", "route", "show", "default"));
        if (!route.find()) {
            return ETHERNET_MTU;
        }
        Path mtu = INTERFACES.resolve(route.group(1)).resolve("mtu");
        return Files.exists(mtu)
                ? Math.min(ETHERNET_MTU, Integer.parseInt(Files.readString(mtu).strip()))
                : ETHERNET_MTU;
    }

    /** Removes an interface if it exists. */
    static void remove(String name) throws IOException {
        if (exists(name)) {
            KernelCommand.run("", "ip", "link", "delete", name);
        }
    }

    /** A node's links to sandboxes on this machine. */
    static List<String> of(NodeMark mark) throws IOException {
        try (Stream<Path> interfaces = Files.list(INTERFACES)) {
            return interfaces
                    .map(each -> each.getFileName().toString())
                    .filter(name -> name.startsWith(mark.links()) && !name.equals(mark.ownInterface()))
                    .toList();
        }
    }

    /** The nodes that have, or had, an address of their own on this machine. */
    static List<NodeMark> nodes() throws IOException {
        try (Stream<Path> interfaces = Files.list(INTERFACES)) {
            return interfaces
                    .map(each -> OWN.matcher(each.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> new NodeMark(name.group(1)))
                    .toList();
        }
    }

    /** The bytes on each of a node's links, as seen by its sandbox, by link name. One file has all of them. */
    static Map<String, EgressUse.Traffic> traffic(NodeMark mark) throws IOException {
        Map<String, EgressUse.Traffic> traffic = new HashMap<>();
        for (String line : Files.readAllLines(COUNTERS)) {
            // The name, a colon, eight counters of received traffic (bytes first), and eight of sent traffic.
            Matcher counted = COUNTED.matcher(line);
            if (counted.matches() && counted.group(1).startsWith(mark.links())) {
                traffic.put(
                        counted.group(1),
                        new EgressUse.Traffic(Long.parseLong(counted.group(2)), Long.parseLong(counted.group(3))));
            }
        }
        return traffic;
    }

    /**
     * Whether nothing has come over a link from its sandbox, not even a packet that was dropped; false when the link is gone,
     * since then nobody knows.
     */
    static boolean isSilent(String link) {
        try {
            return Files.readString(INTERFACES.resolve(link).resolve("statistics/rx_packets"))
                    .strip()
                    .equals("0");
        } catch (IOException gone) {
            return false;
        }
    }

    /** The address of an interface; empty when it does not exist, or has none. */
    static Optional<String> address(String name) throws IOException {
        if (!exists(name)) {
            return Optional.empty();
        }
        Matcher address = ADDRESS.matcher(KernelCommand.run("", "ip", "-o", "-4", "address", "show", "dev", name));
        return address.find() ? Optional.of(address.group(1)) : Optional.empty();
    }

    /** Whether an interface of this name exists. */
    static boolean exists(String name) {
        return Files.exists(INTERFACES.resolve(name));
    }

    /**
     * Gives the node its address towards sandboxes, on an interface of its own: a bridge without ports, since kernels
     * that run containers always support bridges but not always dummy interfaces.
     */
    void open(String ownInterface) throws IOException {
        if (!exists(ownInterface)) {
            KernelCommand.run("", "ip", "link", "add", ownInterface, "type", "bridge");
        }
        KernelCommand.run(
                "address replace " + own + "/32 dev " + ownInterface + "\nlink set " + ownInterface + " up",
                "ip",
                "-batch",
                "-");
    }
}
