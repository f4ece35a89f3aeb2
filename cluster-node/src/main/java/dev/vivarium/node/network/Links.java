package dev.vivarium.node.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The links between the node and its sandboxes: a pair of virtual interfaces for each, point to point, so that no sandbox
 * has a neighbour to spy on or to deceive. The kernel removes a link with its sandbox.
 */
final class Links {
    /** How every interface of a Vivarium node begins, on whichever machine. */
    static final String ALL = "vv";

    private static final Pattern OWN = Pattern.compile(ALL + "([0-9a-f]{6})");
    private static final Path INTERFACES = Path.of("/sys/class/net");
    private static final Path COUNTERS = Path.of("/proc/net/dev");
    private static final Pattern COUNTED = Pattern.compile(" *([^: ]+): *([0-9]+)(?: +[0-9]+){7} +([0-9]+) .*");
    /** Interfaces inside look alike, whatever the host's are called. */
    private static final String INSIDE = "eth0";
    /** Of the node's end of every link; sandboxes know it from the start and never ask. */
    private static final String NODE_MAC = "ee:ee:ee:ee:ee:ee";

    private final String own;

    /** @param own the node's address, as sandboxes see it */
    Links(String own) {
        this.own = own;
    }

    /**
     * Links a sandbox. It has a route to the node, and on request one to everything else.
     *
     * @param pid a process in it
     */
    void connect(String link, long pid, String address, boolean everywhere) throws IOException {
        KernelCommand.run(
                String.join(
                        "\n",
                        "link add " + link + " address " + NODE_MAC + " type veth peer name " + INSIDE + " netns "
                                + pid,
                        "link set " + link + " up",
                        "route add " + address + "/32 dev " + link),
                "ip",
                "-batch",
                "-");
        List<String> inside = new ArrayList<>(List.of(
                "addr add " + address + "/32 dev " + INSIDE,
                "link set " + INSIDE + " up",
                "route add " + own + "/32 dev " + INSIDE + " scope link",
                "neigh add " + own + " lladdr " + NODE_MAC + " dev " + INSIDE + " nud permanent"));
        if (everywhere) {
            inside.add("route add default via " + own + " dev " + INSIDE);
        }
        KernelCommand.run(String.join("\n", inside), "nsenter", "--net=/proc/" + pid + "/ns/net", "ip", "-batch", "-");
    }

    /** Removes an interface, if it is still there. */
    static void remove(String name) throws IOException {
        if (exists(name)) {
            KernelCommand.run("", "ip", "link", "delete", name);
        }
    }

    /** The links to sandboxes that a node has on this machine. */
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

    /** Bytes over each link of a node, as its sandbox sees them, by the link's name: one file tells of all. */
    static Map<String, EgressUse.Traffic> traffic(NodeMark mark) throws IOException {
        Map<String, EgressUse.Traffic> traffic = new HashMap<>();
        for (String line : Files.readAllLines(COUNTERS)) {
            // The name, a colon, eight counters of what was received, bytes first, and as many of what was sent.
            Matcher counted = COUNTED.matcher(line);
            if (counted.matches() && counted.group(1).startsWith(mark.links())) {
                traffic.put(
                        counted.group(1),
                        new EgressUse.Traffic(Long.parseLong(counted.group(2)), Long.parseLong(counted.group(3))));
            }
        }
        return traffic;
    }

    /** Whether there is an interface of this name. */
    static boolean exists(String name) {
        return Files.exists(INTERFACES.resolve(name));
    }

    /**
     * Gives the node its address towards sandboxes, on an interface of its own: a bridge that leads nowhere, as kernels that
     * run containers have bridges and not always dummies.
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
