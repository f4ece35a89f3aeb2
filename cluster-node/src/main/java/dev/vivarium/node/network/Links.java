package dev.vivarium.node.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
final class Links {
    /** The prefix of the interfaces of all Vivarium nodes. */
    static final String ALL = "vv";

    private static final Pattern OWN = Pattern.compile(ALL + "([0-9a-f]{6})");
    private static final Path INTERFACES = Path.of("/sys/class/net");
    private static final Path COUNTERS = Path.of("/proc/net/dev");
    private static final Pattern COUNTED = Pattern.compile(" *([^: ]+): *([0-9]+)(?: +[0-9]+){7} +([0-9]+) .*");
    /** The name of the interface in every sandbox, whatever it is outside. */
    private static final String INSIDE = "eth0";
    /**
     * The address of both ends of every link. ARP is off, so no addresses are asked for or remembered; the kernel
     * writes its own address on frames, which is also the other end's.
     */
    private static final String MAC = "ee:ee:ee:ee:ee:ee";

    private static final Pattern ADDRESS = Pattern.compile("inet ([0-9.]+)/");
    private static final int ETHERNET_MTU = 1500;
    private static final Pattern DEFAULT_ROUTE = Pattern.compile("^default .*?dev (\\S+)", Pattern.MULTILINE);
    private final String own;
    private final int mtu;
    private final LinkRates rates;

    /**
     * @param own the node's address, as sandboxes see it
     * @param mtu the largest packet that leaves unfragmented; sandboxes do not learn of a smaller path MTU
     * @param rates the rate limits of each sandbox
     */
    Links(String own, int mtu, LinkRates rates) {
        this.own = own;
        this.mtu = mtu;
        this.rates = rates;
    }

    /**
     * Creates a sandbox's link. It has a route to the node and, if requested, a default route.
     *
     * @param pid a process in the sandbox
     */
    void connect(String link, long pid, String address, boolean everywhere) throws IOException {
        // One shell starts the other programs: each program started by the node itself costs a copy of its page tables.
        List<String> script = new ArrayList<>(List.of(
                // The kernel returns a setting to the first read only, and shells read byte by byte: they would see no
                // end of line.
                "on() { if [ -e \"$1\" ]; then read -r now <\"$1\" || :; [ \"$now\" = 1 ] || echo 1 >\"$1\"; fi; }",
                "ip -batch - <<END",
                "link add " + link + " address " + MAC + " mtu " + mtu + " type veth peer name " + INSIDE + " address "
                        + MAC + " mtu " + mtu + " netns " + pid,
                "link set " + link + " arp off up",
                "route add " + address + "/32 dev " + link,
                "END"));
        // Nothing passes over the link yet: the other end is down.
        RoutingGuard.settings(link).forEach(setting -> script.add("on /proc/sys/net/" + setting));
        script.add("on /proc/sys/net/ipv6/conf/" + link + "/disable_ipv6");
        String inside = "nsenter --net=/proc/" + pid + "/ns/net ";
        script.addAll(List.of(
                "tc " + rates.towards(link),
                inside + "tc " + rates.towards(INSIDE),
                inside + "ip -batch - <<END",
                "addr add " + address + "/32 dev " + INSIDE,
                "link set " + INSIDE + " arp off up",
                "route add " + own + "/32 dev " + INSIDE + " scope link"));
        if (everywhere) {
            script.add("route add default via " + own + " dev " + INSIDE);
        }
        script.add("END\n");
        KernelCommand.run(String.join("\n", script), "sh", "-e");
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
