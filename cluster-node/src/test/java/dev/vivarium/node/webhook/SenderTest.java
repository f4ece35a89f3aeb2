package dev.vivarium.node.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.doubles.MovableClock;
import dev.vivarium.node.http.tls.ServerTls;
import dev.vivarium.node.http.tls.TestCertificates;
import dev.vivarium.persistence.secrets.SecretSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.WebhookEvent;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One message to one endpoint, hostile ones among them. */
@Timeout(60)
class SenderTest {
    private static final Config SHIPPED =
            ConfigFactory.parseResources("reference.conf").getConfig("vivarium");
    private static final Instant NOON = Instant.parse("2026-12-02T12:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final ActorTestKit KIT = ActorTestKit.create(
            "sender",
            ConfigFactory.parseString("pekko.actor.provider = local, pekko.loglevel = WARNING")
                    .withFallback(ConfigFactory.load()));

    private final WebhookSeal seal = new WebhookSeal(List.of(SecretSeal.Key.random()));
    private final Tenant tenant = new Tenant("blue");
    private final List<WebhookSeal.Secret> secrets =
            List.of(seal.secret(tenant, seal.newKey(NOON)).orElseThrow());
    private Receiver receiver;

    @BeforeEach
    void start() throws IOException {
        receiver = new Receiver("127.0.0.1");
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    @AfterAll
    static void end() {
        KIT.shutdownTestKit();
    }

    @Test
    void aMessageIsSignedAsStandardWebhooksSays() {
        SendResult result = send(receiver.url("/runs?team=blue"));

        assertThat(result).isEqualTo(new SendResult(SendResult.Kind.ACCEPTED, "HTTP 204"));
        Receiver.Received received = receiver.received.get(0);
        assertThat(received.path()).isEqualTo("/runs?team=blue");
        assertThat(received.body()).isEqualTo("{\"a\":1}");
        assertThat(received.header("Content-type")).isEqualTo("application/json");
        assertThat(received.header("Host")).isEqualTo("127.0.0.1:" + receiver.port());
        assertThat(received.header("Webhook-id")).isEqualTo("msg_1");
        assertThat(received.header("Webhook-timestamp")).isEqualTo("" + NOON.getEpochSecond());
        assertThat(received.header("Webhook-signature"))
                .isEqualTo("v1," + secrets.get(0).sign("msg_1." + NOON.getEpochSecond() + ".{\"a\":1}"));
        assertThat(received.headers().keySet())
                .containsExactlyInAnyOrder(
                        "Host",
                        "User-agent",
                        "Content-type",
                        "Content-length",
                        "Webhook-id",
                        "Webhook-timestamp",
                        "Webhook-signature");
    }

    @Test
    void whileKeysOverlapEachSigns() {
        List<WebhookSeal.Secret> both = new ArrayList<>(secrets);
        both.add(seal.secret(tenant, seal.newKey(NOON)).orElseThrow());

        join(sender("127.0.0.1/32").send("msg_1", message(receiver.url("/")), both));

        String message = "msg_1." + NOON.getEpochSecond() + ".{\"a\":1}";
        assertThat(receiver.received.get(0).header("Webhook-signature").split(" "))
                .containsExactly(
                        "v1," + both.get(0).sign(message), "v1," + both.get(1).sign(message));
    }

    @Test
    void nothingIsSentUnsigned() {
        assertThat(join(sender("127.0.0.1/32").send("msg_1", message(receiver.url("/")), List.of()))
                        .kind())
                .isEqualTo(SendResult.Kind.FAILED);
        assertThat(receiver.received).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "200, ACCEPTED",
        "202, ACCEPTED",
        "400, FAILED",
        "404, FAILED",
        "410, GONE",
        "429, FAILED",
        "500, FAILED",
        "503, FAILED",
        "304, FAILED"
    })
    void theStatusDecides(int status, SendResult.Kind kind) {
        receiver.answer(status);

        assertThat(send(receiver.url("/")).kind()).isEqualTo(kind);
    }

    @Test
    void aRedirectIsNotFollowed() throws IOException {
        try (Receiver other = new Receiver("127.0.0.1")) {
            for (int status : List.of(301, 302, 303, 307, 308)) {
                receiver.answer(exchange -> {
                    exchange.getResponseHeaders().add("Location", other.url("/inside"));
                    exchange.sendResponseHeaders(status, -1);
                });
                assertThat(send(receiver.url("/")))
                        .isEqualTo(SendResult.failed("HTTP " + status + ": redirects are not followed"));
            }
            assertThat(other.received).isEmpty();
        }
    }

    /** The machine's own addresses, as names and as numbers, with nobody's permission. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.2"})
    void aMessageReachesNothingInside(String host) {
        SendResult result =
                join(new Sender(KIT.system(), guard(), PATIENCE, trust(), Runnable::run, new MovableClock(NOON))
                        .send("msg_1", message("http://" + host + ":" + receiver.port() + "/"), secrets));

        assertThat(result.kind()).isEqualTo(SendResult.Kind.FAILED);
        assertThat(result.answer()).startsWith("not sent: ").contains("leads to an address inside");
        assertThat(receiver.received).isEmpty();
    }

    @Test
    void whatIsAllowedIsNoMoreThanThat() throws IOException {
        try (Receiver other = new Receiver("127.0.0.2")) {
            assertThat(send(other.url("/")).answer()).contains("leads to an address inside");
            assertThat(other.received).isEmpty();
        }
    }

    /** A name is looked up once, on the threads for that, and the address that was seen is the one that is connected to. */
    @Test
    void aNameIsConnectedToWhereItWasSeenToLead() {
        List<Runnable> lookups = new ArrayList<>();
        Executor counted = lookup -> {
            lookups.add(lookup);
            lookup.run();
        };

        SendResult result =
                join(new Sender(KIT.system(), guard("127.0.0.0/8"), PATIENCE, trust(), counted, new MovableClock(NOON))
                        .send("msg_1", message("http://localhost:" + receiver.port() + "/"), secrets));

        assertThat(result.kind()).isEqualTo(SendResult.Kind.ACCEPTED);
        assertThat(receiver.received.get(0).header("Host")).isEqualTo("localhost:" + receiver.port());
        assertThat(lookups).hasSize(1);
    }

    @Test
    void anEndpointThatNeverAnswersCostsItsTimeAndNoMore() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        receiver.answer(exchange -> await(end));

        assertThat(send(receiver.url("/")).answer()).startsWith("no answer");
        end.countDown();
    }

    @Test
    void anEndpointThatAnswersForEverHasAnsweredWithItsHead() {
        receiver.answer(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                byte[] some = new byte[8192];
                while (true) {
                    body.write(some);
                }
            }
        });

        assertThat(send(receiver.url("/")).kind()).isEqualTo(SendResult.Kind.ACCEPTED);
    }

    @Test
    void aBodyThatComesByteByByteIsNotWaitedFor() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        receiver.answer(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('a');
            exchange.getResponseBody().flush();
            await(end);
        });

        assertThat(send(receiver.url("/")).kind()).isEqualTo(SendResult.Kind.ACCEPTED);
        end.countDown();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nX: {longer}\r\n\r\n",
                "HTTP/1.1 200 {longer}\r\n\r\n",
                "HTTP/1.1 200 OK\r\n{headers}\r\n",
                "{longer}",
                "SSH-2.0-OpenSSH_9.2\r\n",
                "HTTP/1.1 999999 OK\r\n\r\n",
                "\u0000\u0001\u0002\r\n\r\n",
                ""
            })
    void whatIsNoAnswerIsAFailureInOurOwnWords(String answer) throws Exception {
        String raw = answer.replace("{longer}", "secret".repeat(10_000)).replace("{headers}", "A: b\r\n".repeat(1_000));
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            answerOnce(server, raw);

            SendResult result = send("http://127.0.0.1:" + server.getLocalPort() + "/");

            assertThat(result.kind()).isEqualTo(SendResult.Kind.FAILED);
            assertThat(result.answer()).doesNotContain("secret").hasSizeLessThan(200);
        }
    }

    /** The certificate has to be one of a trusted authority, and for the host that the URL names. */
    @Test
    void aServerHasToProveThatItIsTheOneThatTheUrlNames(@TempDir Path folder) throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        certificates.issue("localhost");
        ServerTls tls = ServerTls.of(certificates.files(), Optional.empty(), Clock.systemUTC());
        int port = Http.get(KIT.system())
                .newServerAt("127.0.0.1", 0)
                .enableHttps(ConnectionContext.httpsServer(tls::engine))
                .bindSync(request -> HttpResponse.create().withStatus(204))
                .toCompletableFuture()
                .join()
                .localAddress()
                .getPort();
        SSLContext authority = trusting(certificates.authorityFile());

        assertThat(send(authority, "https://localhost:" + port + "/").kind()).isEqualTo(SendResult.Kind.ACCEPTED);
        assertThat(send(authority, "https://127.0.0.1:" + port + "/").answer()).startsWith("TLS failed");
        assertThat(send(trust(), "https://localhost:" + port + "/").answer()).startsWith("TLS failed");
    }

    private SendResult send(SSLContext trusted, String url) {
        return join(
                new Sender(KIT.system(), guard("127.0.0.0/8"), PATIENCE, trusted, Runnable::run, new MovableClock(NOON))
                        .send("msg_1", message(url), secrets));
    }

    private static SSLContext trusting(Path authority) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(authority)) {
            trusted.setCertificateEntry(
                    "authority", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    @Test
    void nobodyThereIsAFailure() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }

        assertThat(send("http://127.0.0.1:" + port + "/")).isEqualTo(SendResult.failed("no connection"));
        assertThat(send("http://nothing.invalid/").answer()).contains("nothing.invalid has no address");
    }

    private static void answerOnce(ServerSocket server, String raw) {
        Thread answering = new Thread(() -> {
            try (Socket socket = server.accept()) {
                socket.getOutputStream().write(raw.getBytes(StandardCharsets.ISO_8859_1));
                socket.shutdownOutput();
                socket.getInputStream().transferTo(OutputStream.nullOutputStream());
            } catch (IOException gone) {
                // The sender has seen enough.
            }
        });
        answering.setDaemon(true);
        answering.start();
    }

    private SendResult send(String url) {
        return join(sender("127.0.0.1/32").send("msg_1", message(url), secrets));
    }

    private static Sender sender(String... allowed) {
        return new Sender(KIT.system(), guard(allowed), PATIENCE, trust(), Runnable::run, new MovableClock(NOON));
    }

    private static WebhookGuard guard(String... allowed) {
        Config webhooks = ConfigFactory.parseString("allow-internal = [" + quoted(allowed) + "]");
        return WebhookGuard.of(SHIPPED.getConfig("egress"), webhooks);
    }

    private static String quoted(String... texts) {
        return texts.length == 0 ? "" : "\"" + String.join("\", \"", texts) + "\"";
    }

    private static SSLContext trust() {
        try {
            return SSLContext.getDefault();
        } catch (java.security.GeneralSecurityException missing) {
            throw new AssertionError(missing);
        }
    }

    private Message message(String url) {
        return new Message(new RunId("01jdvwxyz0123456789abcdefg"), 1, tenant, WebhookEvent.ENDED, url, "{\"a\":1}");
    }

    private static void await(CountDownLatch end) throws IOException {
        try {
            end.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            throw new IOException(stopped);
        }
    }

    private static <T> T join(java.util.concurrent.CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
