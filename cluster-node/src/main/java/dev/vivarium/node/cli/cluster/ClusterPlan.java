package dev.vivarium.node.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The members and settings of a local cluster.
 *
 * @param nodes the number of nodes, from 1 to {@link #NODES_MAX}
 * @param httpPort the port of each node's API, at its own address
 * @param portBase the port of the nodes' own traffic, each at its own address; Cassandra has the next two at 127.0.0.1
 * @param drain how long live runs get when a node is stopped, in the notation of {@code vivarium up --drain}
 * @param settings further configuration of all nodes, by full key
 */
public record ClusterPlan(int nodes, int httpPort, int portBase, String drain, Map<String, String> settings) {
    public static final int NODES_MAX = 9;
    public static final ClusterPlan DEFAULT = new ClusterPlan(3, 8080, 25_620, "30s", Map.of());

    /** The cluster's own name, which the certificates of its nodes share. */
    static final String NAME = "local";

    private static final int PORT_MAX = 65_535;
    private static final int STORE_PORTS = 2;

    public ClusterPlan {
        settings = Map.copyOf(settings);
    }

    /** This plan, if it is valid. */
    ClusterPlan required() throws ClusterProblem {
        if (nodes < 1 || nodes > NODES_MAX) {
            throw new ClusterProblem(Kind.USAGE, "--nodes must be from 1 to " + NODES_MAX + ".");
        }
        if (httpPort < 1 || httpPort > PORT_MAX) {
            throw new ClusterProblem(Kind.USAGE, "--http-port must be from 1 to " + PORT_MAX + ".");
        }
        if (portBase < 1 || portBase > PORT_MAX - STORE_PORTS) {
            throw new ClusterProblem(Kind.USAGE, "--port-base must be from 1 to " + (PORT_MAX - STORE_PORTS) + ".");
        }
        if (httpPort >= portBase && httpPort <= portBase + STORE_PORTS) {
            throw new ClusterProblem(
                    Kind.USAGE,
                    "--http-port must not be one of the three ports from --port-base on, " + portBase + " to "
                            + (portBase + STORE_PORTS) + ".");
        }
        return this;
    }

    static String host(int node) {
        return "127.0.0." + node;
    }

    /** The address of a node's API. */
    public URI api(int node) {
        return URI.create("http://" + host(node) + ":" + httpPort);
    }

    int storePort() {
        return portBase + 1;
    }

    int storeInternalPort() {
        return portBase + STORE_PORTS;
    }

    /** The configuration that all nodes share; a node's own settings are in its command. */
    String nodeConfiguration(Path folder, Path certificates, String datacenter) {
        String seeds = IntStream.rangeClosed(1, nodes)
                .mapToObj(node -> quoted(host(node) + ":" + portBase))
                .collect(Collectors.joining(", "));
        return """
                # Overwritten by each `vivarium cluster up`; use its --set to change settings.
                vivarium {
                  cluster {
                    name = %s
                    port = %d
                    formation = seeds
                    seeds = [%s]
                    secret-file = %s
                    fencing.engine = shared
                    tls {
                      certificate = %s${vivarium.cluster.node-name}.crt
                      key = %s${vivarium.cluster.node-name}.key
                      authority = %s
                      revoked = %s
                    }
                  }
                  store {
                    kind = cassandra
                    cassandra {
                      contact-points = [%s]
                      datacenter = %s
                      replication { class = SimpleStrategy, factor = 1 }
                      master-key = %s
                    }
                  }
                  audit.log.key-file = %s
                }
                # Each node connects from its own address, by which its connections are identified.
                pekko.remote.artery.advanced.tcp.outbound-client-hostname = ${vivarium.cluster.host}
                """
                .formatted(
                        NAME,
                        portBase,
                        seeds,
                        quoted(folder.resolve("secret").toString()),
                        quoted(certificates + "/"),
                        quoted(certificates + "/"),
                        quoted(certificates.resolve("authority.crt").toString()),
                        quoted(certificates.resolve("revoked.crl").toString()),
                        quoted("127.0.0.1:" + storePort()),
                        quoted(datacenter),
                        quoted(folder.resolve("master.key").toString()),
                        quoted(folder.resolve("audit-log.key").toString()));
    }

    private static String quoted(String text) {
        return TextNode.valueOf(text).toString();
    }

    void write(Path file) throws IOException {
        ObjectNode json = ApiJson.object();
        json.put("nodes", nodes)
                .put("httpPort", httpPort)
                .put("portBase", portBase)
                .put("drain", drain);
        ObjectNode set = json.putObject("settings");
        new TreeMap<>(settings).forEach(set::put);
        Files.writeString(file, ApiJson.pretty(json) + "\n");
    }

    /** The stored plan; empty if there is none. */
    static Optional<ClusterPlan> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode json = ApiJson.parse(Files.readAllBytes(file));
        Map<String, String> settings = new TreeMap<>();
        json.path("settings")
                .properties()
                .forEach(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
        return Optional.of(new ClusterPlan(
                json.path("nodes").asInt(),
                json.path("httpPort").asInt(),
                json.path("portBase").asInt(),
                json.path("drain").asText(),
                settings));
    }
}
