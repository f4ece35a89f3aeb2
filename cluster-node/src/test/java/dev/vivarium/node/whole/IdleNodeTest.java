package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node with the idle driver completes runs without starting anything, and says so. */
@Timeout(180)
class IdleNodeTest {
    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void runsCompleteWithoutAnEngine() throws Exception {
        try (WholeNode node = WholeNode.on(data)
                .with("--set", "vivarium.driver.kind=idle", "--set", "vivarium.webhooks.allow-internal.0=127.0.0.1/32")
                .go()) {
            assertThat(node.log()).contains("This node starts nothing");
            assertThat(ListeningPorts.of(List.of(node.pid(), node.store().pid())))
                    .as("a lone node listens for its API only, and not for its cluster or its store")
                    .containsExactly(node.uri().getPort());
            assertThat(node.get("/v1/nodes")
                            .body()
                            .path("nodes")
                            .path(0)
                            .path("address")
                            .asText())
                    .isEqualTo("127.0.0.1:0");

            await("its look at known holes").untilAsserted(() -> assertThat(node.log())
                    .contains("Versions were held against the holes known on 20"));

            String quick = node.submit(Agent.python("print('never printed')")).acceptedRun();
            assertThat(node.awaitEnd(quick).path("status").asText()).isEqualTo("SUCCEEDED");
            assertThat(node.history(quick))
                    .containsExactly("RunSubmitted", "AttemptStarting", "AttemptStarted", "RunSucceeded");

            String sleeper = node.submit(Agent.command("sleep", "60")).acceptedRun();
            node.awaitRunning(sleeper, 1);
            node.cancel(sleeper);
            assertThat(node.awaitEnd(sleeper).path("status").asText()).isEqualTo("CANCELLED");

            String timed = node.submit(Agent.command("sleep", "60").limit("wallClock", "1s"))
                    .acceptedRun();
            assertThat(node.awaitEnd(timed).path("reason").asText()).isEqualTo("WALL_CLOCK");

            tellsAWebhook(node);
            assertThat(node.stop()).isZero();
        }
    }

    /** By a receiver that verifies as the specification of Standard Webhooks says, with nothing of ours. */
    private static void tellsAWebhook(WholeNode node) throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        HttpServer receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] secret = Base64.getDecoder()
                .decode(node.post("/v1/tenants/default/webhooks/key")
                        .body()
                        .path("secret")
                        .asText()
                        .substring("whsec_".length()));
        receiver.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            Headers headers = exchange.getRequestHeaders();
            String signed = headers.getFirst("webhook-id") + "." + headers.getFirst("webhook-timestamp") + "." + body;
            boolean genuine = headers.getFirst("webhook-signature").equals("v1," + hmac(secret, signed));
            told.add((genuine ? "" : "forged ") + body.replaceAll(".*\"type\":\"([a-z.]+)\".*", "$1"));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        receiver.start();
        try {
            String run = node.submit(Agent.command("sleep", "60")
                            .limit("wallClock", "1s")
                            .webhook("http://127.0.0.1:" + receiver.getAddress().getPort() + "/"))
                    .acceptedRun();
            node.awaitEnd(run);
            await().untilAsserted(() ->
                    assertThat(told).containsExactlyInAnyOrder("run.started", "run.warning", "run.ended"));
            await().untilAsserted(() -> assertThat(
                            node.get("/v1/runs/" + run + "/webhooks").body().findValuesAsText("state"))
                    .containsExactly("DELIVERED", "DELIVERED", "DELIVERED"));
        } finally {
            receiver.stop(0);
        }
    }

    private static String hmac(byte[] secret, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            return Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException missing) {
            throw new AssertionError(missing);
        }
    }
}
