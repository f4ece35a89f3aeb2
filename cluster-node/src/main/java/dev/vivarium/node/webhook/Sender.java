package dev.vivarium.node.webhook;

import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.WebhookStore.Message;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.ClientTransport;
import org.apache.pekko.http.javadsl.ConnectionContext;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.HttpsConnectionContext;
import org.apache.pekko.http.javadsl.OutgoingConnectionBuilder;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.javadsl.model.headers.UserAgent;
import org.apache.pekko.http.javadsl.settings.ClientConnectionSettings;
import org.apache.pekko.http.javadsl.settings.ParserSettings;
import org.apache.pekko.stream.StreamTcpException;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import scala.concurrent.duration.FiniteDuration;

/**
 * Sends a message once: looks the host up, keeps to addresses that the guard lets pass, and connects to the very address that
 * it has seen, so a name that changes meanwhile changes nothing. Follows no redirect. Of the answer only the status counts;
 * its head is bounded, its body is thrown away, and all of it has one time limit. TLS is verified by the Java
 * platform's authorities, for the URL's host. Each message has a connection of its own.
 *
 * <p>The form is that of Standard Webhooks (standardwebhooks.com, symmetric signatures): the headers {@code webhook-id},
 * {@code webhook-timestamp} and {@code webhook-signature}, which has {@code v1,} and the signature of each key that is valid.
 */
final class Sender {
    private static final int GONE = 410;
    private static final int HEADERS_MAX = 64;
    private static final int HEADER_CHARS_MAX = 4 << 10;
    private static final int REASON_CHARS_MAX = 128;
    /** So much of a body is read, for so long. */
    private static final long BODY_BYTES_MAX = 64 << 10;

    private static final Duration BODY_TIME_MAX = Duration.ofSeconds(1);
    /** Of many addresses of a name, so many are looked at. */
    private static final int ADDRESSES_MAX = 16;

    private final ActorSystem<?> system;
    private final WebhookGuard guard;
    private final Duration answerMax;
    private final HttpsConnectionContext tls;
    private final Executor lookups;
    private final Clock clock;
    private final ClientConnectionSettings connections;

    /** @param lookups threads for the platform's resolver, which blocks */
    Sender(
            ActorSystem<?> system,
            WebhookGuard guard,
            Duration answerMax,
            SSLContext trust,
            Executor lookups,
            Clock clock) {
        this.system = system;
        this.guard = guard;
        this.answerMax = answerMax;
        this.tls = ConnectionContext.httpsClient(trust);
        this.lookups = lookups;
        this.clock = clock;
        this.connections = connections(system, answerMax);
    }

    private static ClientConnectionSettings connections(ActorSystem<?> system, Duration answerMax) {
        ClientConnectionSettings defaults =
                ClientConnectionSettings.create(system.settings().config());
        ParserSettings parser = defaults.getParserSettings()
                .withMaxHeaderCount(HEADERS_MAX)
                .withMaxHeaderNameLength(REASON_CHARS_MAX)
                .withMaxHeaderValueLength(HEADER_CHARS_MAX)
                .withMaxResponseReasonLength(REASON_CHARS_MAX)
                .withIllegalHeaderWarnings(false);
        FiniteDuration most = FiniteDuration.create(answerMax.toMillis(), TimeUnit.MILLISECONDS);
        return defaults.withParserSettings(parser)
                .withConnectingTimeout(most)
                .withIdleTimeout(most)
                .withUserAgentHeader(Optional.of(UserAgent.create("Vivarium-Webhook/1")));
    }

    /** Sends a message, signed with all of these. The stage never fails. */
    CompletionStage<SendResult> send(String id, Message message, List<WebhookSeal.Secret> secrets) {
        WebhookUrl url;
        try {
            url = WebhookUrl.parse(message.url());
        } catch (IllegalArgumentException notOfThisVersion) {
            return done("not sent: the URL " + notOfThisVersion.getMessage());
        }
        if (secrets.isEmpty()) {
            return done("not sent: this node has no key of the tenant to sign it with");
        }
        return address(url)
                .thenCompose(found -> found instanceof Found.At at
                        ? exchange(url, at.address(), request(url, id, message, secrets))
                        : done(((Found.Nowhere) found).why()))
                .exceptionally(failed ->
                        SendResult.failed("not sent: " + failed.getClass().getSimpleName()))
                .toCompletableFuture()
                .completeOnTimeout(
                        SendResult.failed("no answer within " + answerMax.toMillis() + " ms"),
                        answerMax.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    private static CompletionStage<SendResult> done(String why) {
        return CompletableFuture.completedStage(SendResult.failed(why));
    }

    /** Where a message goes. */
    private sealed interface Found {
        record At(InetAddress address) implements Found {}

        record Nowhere(String why) implements Found {}
    }

    private CompletionStage<Found> address(WebhookUrl url) {
        try {
            return CompletableFuture.supplyAsync(() -> judged(url), lookups);
        } catch (RejectedExecutionException stopping) {
            return CompletableFuture.completedStage(new Found.Nowhere("not sent: the node is stopping"));
        }
    }

    private Found judged(WebhookUrl url) {
        List<InetAddress> addresses;
        try {
            addresses = url.literal().isPresent()
                    ? List.of(url.literal().get())
                    : Arrays.asList(InetAddress.getAllByName(url.host()));
        } catch (UnknownHostException unknown) {
            return new Found.Nowhere("not sent: " + url.host() + " has no address");
        }
        return addresses.stream()
                .limit(ADDRESSES_MAX)
                .filter(guard::mayReach)
                .findFirst()
                .<Found>map(Found.At::new)
                .orElseGet(() -> new Found.Nowhere("not sent: " + url.host() + " leads to an address inside"));
    }

    private HttpRequest request(WebhookUrl url, String id, Message message, List<WebhookSeal.Secret> secrets) {
        String time = Long.toString(clock.instant().getEpochSecond());
        String signed = id + "." + time + "." + message.body();
        return HttpRequest.POST(url.target())
                .withEntity(ContentTypes.APPLICATION_JSON, message.body())
                .addHeader(RawHeader.create("webhook-id", id))
                .addHeader(RawHeader.create("webhook-timestamp", time))
                .addHeader(RawHeader.create(
                        "webhook-signature",
                        secrets.stream()
                                .map(secret -> "v1," + secret.sign(signed))
                                .collect(Collectors.joining(" "))));
    }

    private CompletionStage<SendResult> exchange(WebhookUrl url, InetAddress address, HttpRequest request) {
        InetSocketAddress judged = new InetSocketAddress(address, url.port());
        OutgoingConnectionBuilder connection = Http.get(system)
                .connectionTo(url.host())
                .toPort(url.port())
                .withClientConnectionSettings(connections.withTransport(
                        ClientTransport.withCustomResolver((host, port) -> CompletableFuture.completedStage(judged))));
        CompletableFuture<SendResult> result = new CompletableFuture<>();
        Source.single(request)
                .via(
                        url.scheme() == WebhookUrl.Scheme.HTTPS
                                ? connection
                                        .withCustomHttpsConnectionContext(tls)
                                        .https()
                                : connection.http())
                .mapAsync(1, response -> {
                    result.complete(result(response));
                    return thrownAway(response);
                })
                .completionTimeout(answerMax)
                .runWith(Sink.ignore(), system)
                .whenComplete((done, failed) ->
                        result.complete(failed == null ? SendResult.failed("no answer") : failure(failed)));
        return result;
    }

    /**
     * Reads the beginning of a body, so that its sender sees an orderly end of the connection; what comes of it does not
     * matter.
     */
    private CompletionStage<Done> thrownAway(HttpResponse response) {
        return response.entity()
                .getDataBytes()
                .limitWeighted(BODY_BYTES_MAX, bytes -> (long) bytes.size())
                .completionTimeout(BODY_TIME_MAX)
                .runWith(Sink.ignore(), system)
                .exceptionally(cutOff -> Done.getInstance());
    }

    private static SendResult result(HttpResponse response) {
        int status = response.status().intValue();
        String answer = "HTTP " + status;
        return switch (status / 100) {
            case 2 -> new SendResult(SendResult.Kind.ACCEPTED, answer);
            case 3 -> SendResult.failed(answer + ": redirects are not followed");
            default -> new SendResult(status == GONE ? SendResult.Kind.GONE : SendResult.Kind.FAILED, answer);
        };
    }

    /** In our own words: what a peer has written is not repeated. */
    private static SendResult failure(Throwable failed) {
        for (Throwable why = failed; why != null; why = why.getCause()) {
            if (why instanceof SSLException) {
                return SendResult.failed("TLS failed: the certificate is not one that this node trusts for the host, or"
                        + " the server speaks no TLS");
            }
            if (why instanceof TimeoutException) {
                return SendResult.failed("no answer in time");
            }
            if (why instanceof ConnectException || why instanceof StreamTcpException) {
                return SendResult.failed("no connection");
            }
        }
        return SendResult.failed("no answer that is HTTP/1.1");
    }
}
