package dev.vivarium.node.cli.cluster;

import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** The ports of a local cluster's members on this machine. */
final class Ports {
    private static final String STORE_HOST = "127.0.0.1";
    private static final int CONNECT_MILLIS = 500;

    private Ports() {}

    static void requireFreeForStore(ClusterPlan plan) throws ClusterProblem {
        requireFree(STORE_HOST, plan.storePort(), "--port-base");
        requireFree(STORE_HOST, plan.storeInternalPort(), "--port-base");
    }

    static void requireFreeForNode(ClusterPlan plan, int node) throws ClusterProblem {
        requireFree(ClusterPlan.host(node), plan.httpPort(), "--http-port");
        requireFree(ClusterPlan.host(node), plan.portBase(), "--port-base");
    }

    private static void requireFree(String host, int port, String option) throws ClusterProblem {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(host, port));
        } catch (IOException taken) {
            throw new ClusterProblem(
                    Kind.UNAVAILABLE,
                    host + ":" + port + " cannot be listened on (" + taken.getMessage()
                            + "). Is another program, or another cluster, there? Choose other ports with " + option
                            + ".");
        }
    }

    /** Whether something on this machine accepts connections. */
    static boolean accepts(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }
}
