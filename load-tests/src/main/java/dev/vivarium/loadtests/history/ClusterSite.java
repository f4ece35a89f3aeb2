package dev.vivarium.loadtests.history;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Where a cluster of a trial's own is, and how it is reached.
 *
 * @param program what {@code vivarium} is here, with its first arguments
 * @param environment the variables of this process
 * @param folder where it is to live, for it alone
 * @param httpPort where each node answers, at its own address
 * @param portBase where the nodes speak to each other, at their own addresses; the store has the next two ports
 */
public record ClusterSite(
        List<String> program, Map<String, String> environment, Path folder, int httpPort, int portBase) {
    public ClusterSite {
        program = List.copyOf(program);
        environment = Map.copyOf(environment);
    }

    URI api(int node) {
        return URI.create("http://" + host(node) + ":" + httpPort);
    }

    /** The address at which nodes speak to a node, as their logs name it. */
    String peer(int node) {
        return host(node) + ":" + portBase;
    }

    /** Where the store answers. */
    InetSocketAddress store() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), portBase + 1);
    }

    static String host(int node) {
        return "127.0.0." + node;
    }
}
