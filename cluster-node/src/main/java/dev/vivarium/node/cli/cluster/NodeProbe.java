package dev.vivarium.node.cli.cluster;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.protocol.api.NodeList;
import dev.vivarium.protocol.api.NodeView;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Checks a node's health once; one that does not answer in time is not healthy. */
final class NodeProbe {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(4);

    private final ApiClient node;

    /** A probe of the node whose API answers at an address. Its health needs no credentials. */
    NodeProbe(URI api, Credentials credentials) {
        this.node = new ApiClient(api, credentials, RetryPolicy.NONE, ANSWER_MAX);
    }

    ApiClient.Health health() throws InterruptedException {
        try {
            return node.health();
        } catch (InterruptedIOException interrupted) {
            throw interrupted(interrupted);
        }
    }

    /** How many runs hold slots on each node of the cluster; empty when that is unknown. */
    Optional<Map<String, Integer>> runs() throws InterruptedException {
        try {
            Map<String, Integer> runs = new TreeMap<>();
            for (NodeView member : node.read(node.nodes(), NodeList.class).nodes()) {
                runs.put(member.name(), Math.toIntExact(member.taken().runs()));
            }
            return Optional.of(runs);
        } catch (ApiException unknown) {
            return Optional.empty();
        } catch (InterruptedIOException interrupted) {
            throw interrupted(interrupted);
        }
    }

    private static InterruptedException interrupted(InterruptedIOException why) {
        InterruptedException interrupted = new InterruptedException(why.getMessage());
        interrupted.initCause(why);
        return interrupted;
    }
}
