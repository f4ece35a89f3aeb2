package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import dev.vivarium.node.machine.MachineFacts.PortState;
import dev.vivarium.node.machine.MachineFacts.Presence;
import dev.vivarium.node.machine.MachineFacts.Reach;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.protocol.run.ByteSize;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a node's configuration, and checks its addresses: its port, and its store. */
final class NodeSettingsReader {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(2);
    private static final int POSTGRES_PORT = 5432;
    private static final Pattern JDBC = Pattern.compile("^jdbc:postgresql://([^/?]+)");
    private static final Pattern HOST_AND_PORT = Pattern.compile("^(.+?)(?::([0-9]{1,5}))?$");

    private NodeSettingsReader() {}

    /**
     * @param config the node's whole configuration
     * @param host the address that its API listens on
     * @param port its port
     */
    static MachineFacts.NodeSettings read(Config config, String host, int port) {
        Config node = config.getConfig("vivarium");
        String storeKind = node.getString("store.kind");
        List<String> stores = storeAddresses(node.getConfig("store"), storeKind);
        return new MachineFacts.NodeSettings(
                host,
                port,
                portState(host, port),
                reach(host),
                node.getString("http.tls.certificate").isEmpty() ? Presence.NO : Presence.YES,
                storeKind,
                stores,
                stores.stream().filter(address -> !answers(address)).toList(),
                node.getString("cluster.formation"),
                node.getBoolean("cluster.insecure-nodes-in-clear-text") ? Presence.NO : Presence.YES,
                ByteSize.parse(node.getString("run.memory-reserve")).bytes(),
                memoryOfARun(node.getConfig("limits.default")),
                node.getLong("limits.default.pids"),
                node.getLong("run.open-files-reserve"),
                openFilesOfARun(node.getConfig("limits.default")),
                node.getInt("run.live-max"));
    }

    private static long openFilesOfARun(Config limits) {
        return Capacity.openFilesOf(memoryOfARun(limits), limits.getLong("pids"), limits.getLong("openFiles"));
    }

    private static long memoryOfARun(Config limits) {
        return ByteSize.parse(limits.getString("memory")).bytes()
                + ByteSize.parse(limits.getString("disk")).bytes();
    }

    private static List<String> storeAddresses(Config store, String kind) {
        if (kind.equals("cassandra")) {
            return store.getStringList("cassandra.contact-points");
        }
        Matcher jdbc = JDBC.matcher(kind.equals("postgres") ? store.getString("postgres.url") : "");
        return jdbc.find() ? List.of(jdbc.group(1).split(",", -1)) : List.of();
    }

    private static boolean answers(String address) {
        Matcher parts = HOST_AND_PORT.matcher(address);
        if (!parts.matches()) {
            return false;
        }
        int port = parts.group(2) == null ? POSTGRES_PORT : Integer.parseInt(parts.group(2));
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(parts.group(1), port), Math.toIntExact(ANSWER_MAX.toMillis()));
            return true;
        } catch (IOException | IllegalArgumentException silent) {
            return false;
        }
    }

    private static Reach reach(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress() ? Reach.THIS_MACHINE : Reach.OTHERS;
        } catch (UnknownHostException unknown) {
            return Reach.OTHERS;
        }
    }

    private static PortState portState(String host, int port) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(host, port));
            return PortState.FREE;
        } catch (IOException taken) {
            if (!isOfThisMachine(host)) {
                return PortState.ELSEWHERE;
            }
            return isNode(host, port) ? PortState.A_NODE : PortState.TAKEN;
        }
    }

    private static boolean isOfThisMachine(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            return address.isAnyLocalAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException unknown) {
            return false;
        }
    }

    private static boolean isNode(String host, int port) {
        String name = host.contains(":") ? "[" + host + "]" : host;
        try {
            HttpURLConnection asked = (HttpURLConnection) URI.create("http://" + name + ":" + port + "/health/alive")
                    .toURL()
                    .openConnection();
            asked.setConnectTimeout(Math.toIntExact(ANSWER_MAX.toMillis()));
            asked.setReadTimeout(Math.toIntExact(ANSWER_MAX.toMillis()));
            return asked.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException | IllegalArgumentException other) {
            return false;
        }
    }
}
