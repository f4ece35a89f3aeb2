package dev.vivarium.loadtests.history;

import dev.vivarium.client.Credentials;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Location and addresses of a trial's cluster.
 *
 * @param program the {@code vivarium} program, with its first arguments
 * @param environment the variables of this process
 * @param home the home of its nodes, with the token of this machine's operator
 * @param folder its own folder
 * @param httpPort the API's port on each node's address
 * @param portBase the port between nodes, on each node's address; the store uses the next two
 */
public record ClusterSite(
        List<String> program, Map<String, String> environment, Path home, Path folder, int httpPort, int portBase) {
    public ClusterSite {
        program = List.copyOf(program);
        environment = Map.copyOf(environment);
    }

    URI api(int node) {
        return URI.create("http://" + host(node) + ":" + httpPort);
    }

    /** What its nodes know this program by; once one of them has been started. */
    Credentials credentials() {
        return Credentials.in(Credentials.fileIn(home));
    }

    /** A node's address among its peers, as in their logs. */
    String peer(int node) {
        return host(node) + ":" + portBase;
    }

    /** The store's address. */
    InetSocketAddress store() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), portBase + 1);
    }

    static String host(int node) {
        return "127.0.0." + node;
    }
}
