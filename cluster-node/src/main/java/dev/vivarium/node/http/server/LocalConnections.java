package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Credential;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.AttributeKey;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.TLSProtocol.SessionBytes;
import org.apache.pekko.stream.TLSProtocol.SslTlsInbound;
import org.apache.pekko.stream.TLSProtocol.SslTlsOutbound;
import org.apache.pekko.stream.javadsl.BidiFlow;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.TLSPlacebo;
import org.apache.pekko.util.ByteString;

/**
 * Serves connections that somebody else accepts, of users of this machine. Everything that holds for connections of the port
 * holds for them; they are counted apart, so that neither kind keeps the other out. Nobody can listen to them or stand between,
 * so they have no TLS.
 */
public final class LocalConnections {
    private static final AttributeKey<Credential.LocalUser> USER =
            AttributeKey.create("local-user", Credential.LocalUser.class);

    private final Supplier<BidiFlow<HttpResponse, SslTlsOutbound, SslTlsInbound, HttpRequest, NotUsed>> http;
    private final Flow<HttpRequest, HttpResponse, NotUsed> api;
    private final OpenConnections connections;
    private final Duration requestWait;
    private final Duration idleTimeout;
    private final Duration retryAfter;
    private final int max;

    /**
     * @param http turns bytes into requests, for each connection anew
     * @param api answers requests
     */
    LocalConnections(
            Supplier<BidiFlow<HttpResponse, SslTlsOutbound, SslTlsInbound, HttpRequest, NotUsed>> http,
            Flow<HttpRequest, HttpResponse, NotUsed> api,
            HttpSettings settings,
            int max) {
        this.http = http;
        this.api = api;
        this.requestWait = settings.requestWait();
        this.idleTimeout = settings.idleTimeout();
        this.max = max;
        this.retryAfter = settings.retryAfter();
        // Of this machine's users, who are one caller as a rule.
        this.connections = new OpenConnections(max, max, System::nanoTime);
    }

    /** How many there may be at once, with those that only learn that the node is full. */
    public int mostAtOnce() {
        return max + OpenConnections.RESERVE;
    }

    /** The server's side of a new connection. */
    public Flow<ByteString, ByteString, NotUsed> of(UserPrincipal user) {
        Credential.LocalUser credential = new Credential.LocalUser(user);
        OpenConnections.Place place = connections.open();
        SharedKillSwitch end = KillSwitches.shared("local-connection");
        place.carriedBy(end::shutdown);
        Flow<HttpRequest, HttpResponse, NotUsed> answers = BidiFlow.fromGraph(
                        new RequestWait(requestWait, retryAfter, place))
                .join(Flow.of(HttpRequest.class)
                        .map(request -> request.addAttribute(USER, credential))
                        .via(api));
        BidiFlow<SslTlsOutbound, SslTlsOutbound, SessionBytes, SslTlsInbound, NotUsed> widened = BidiFlow.fromFlows(
                Flow.of(SslTlsOutbound.class), Flow.of(SessionBytes.class).map(bytes -> bytes));
        BidiFlow<HttpResponse, ByteString, ByteString, HttpRequest, NotUsed> layers = http.get()
                .atop(widened)
                .atop(TLSPlacebo.getInstance())
                .atop(BidiFlow.bidirectionalIdleTimeout(idleTimeout));
        return layers.reversed().join(answers).via(end.flow()).watchTermination((materialized, over) -> {
            over.whenComplete((done, failure) -> place.closed());
            return materialized;
        });
    }

    /** The user that the kernel found at the other end of a request's connection; empty for connections of the port. */
    static Optional<Credential.LocalUser> userOf(HttpRequest request) {
        return request.getAttribute(USER);
    }
}
