package dev.vivarium.node.http.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.http.server.http2.Http2Connection;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.TLSClosing;
import org.apache.pekko.stream.TLSProtocol.SendBytes;
import org.apache.pekko.stream.TLSProtocol.SessionBytes;
import org.apache.pekko.stream.TLSProtocol.SslTlsInbound;
import org.apache.pekko.stream.TLSProtocol.SslTlsOutbound;
import org.apache.pekko.stream.javadsl.BidiFlow;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.TLS;
import org.apache.pekko.stream.javadsl.TLSPlacebo;
import org.apache.pekko.stream.javadsl.Tcp;
import org.apache.pekko.stream.scaladsl.TcpAttributes;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bound server. It accepts connections itself and puts Pekko's layers of HTTP and TLS on each: Pekko's own server counts a
 * connection for as long as its requests are served, and not until the kernel has closed it.
 */
public final class HttpServer {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
    /** How long requests are waited for that are told that the node stops. */
    private static final Duration CUT_OFF_MAX = Duration.ofSeconds(1);
    /** Connections that the kernel accepts ahead of the node: a burst of as many loses none. */
    private static final int BACKLOG = 1024;

    private static final String HTTP_2 = "h2";
    /** What is spoken over TLS, the best first (RFC 7301). */
    private static final List<String> PROTOCOLS = List.of(HTTP_2, "http/1.1");
    /** Clients that offer neither are served as those that offer nothing. */
    private static final String NO_PROTOCOL = "";

    private final Tcp.ServerBinding binding;
    private final OpenConnections connections;
    private final IntFunction<LocalConnections> local;

    /** @param local serves this many connections beside those of the port */
    private HttpServer(Tcp.ServerBinding binding, OpenConnections connections, IntFunction<LocalConnections> local) {
        this.local = local;
        this.binding = binding;
        this.connections = connections;
    }

    /**
     * Binds. The stage fails with {@link org.apache.pekko.stream.BindFailedException}, or a cause of it, when the
     * address is in use or not available.
     *
     * @param encryption how it proves itself and encrypts; empty for an API in clear text
     * @param operations the operations; of several matching paths the first one is used
     * @param authenticator tells whose a credential is
     * @param metrics where answers are counted
     */
    public static CompletionStage<HttpServer> start(
            ActorSystem<?> system,
            HttpSettings settings,
            Optional<Encryption> encryption,
            List<Operation> operations,
            Authenticator authenticator,
            MeterRegistry metrics,
            Clock clock) {
        OpenConnections connections =
                new OpenConnections(settings.maxConnections(), settings.maxRequestsOfOne(), System::nanoTime);
        Gauge.builder("vivarium.http.connections", connections, OpenConnections::count)
                .description("Open connections of the API")
                .register(metrics);
        Gauge.builder("vivarium.http.streams", connections, OpenConnections::streams)
                .description("Open streams of HTTP/2, each of which is a request")
                .register(metrics);
        FunctionCounter.builder("vivarium.http.connections.displaced", connections, OpenConnections::displaced)
                .description("Connections that were closed for others, since the API had as many as it may")
                .register(metrics);
        BrowserGuard guard = new BrowserGuard(
                settings, () -> encryption.map(Encryption::names).orElse(Set.of()));
        Flow<HttpRequest, HttpResponse, NotUsed> answers = new Router(
                        system, settings, operations, guard, authenticator, metrics, clock)
                .route()
                .flow(system);
        Acceptor acceptor = new Acceptor(system, settings, encryption, connections, answers, metrics);
        IntFunction<LocalConnections> local =
                max -> new LocalConnections(() -> Http.get(system).serverLayer(acceptor.pekko), answers, settings, max);
        return Tcp.get(system)
                .bind(
                        settings.host(),
                        settings.port(),
                        BACKLOG,
                        acceptor.pekko.getSocketOptions(),
                        // The last answer reaches a client that still sends: what it sends is read after the end is
                        // told.
                        true,
                        Optional.<Duration>empty())
                .toMat(Sink.foreach(acceptor::accept), Keep.left())
                .run(system)
                .thenApply(bound -> new HttpServer(bound, connections, local));
    }

    /** Serves connections. */
    private static final class Acceptor {
        private final ActorSystem<?> system;
        private final HttpSettings settings;
        private final Optional<Encryption> encryption;
        private final OpenConnections connections;
        private final Flow<HttpRequest, HttpResponse, NotUsed> answers;
        private final MeterRegistry metrics;
        private final ServerSettings pekko;

        Acceptor(
                ActorSystem<?> system,
                HttpSettings settings,
                Optional<Encryption> encryption,
                OpenConnections connections,
                Flow<HttpRequest, HttpResponse, NotUsed> answers,
                MeterRegistry metrics) {
            this.metrics = metrics;
            this.system = system;
            this.settings = settings;
            this.encryption = encryption;
            this.connections = connections;
            this.answers = answers;
            this.pekko = serverSettings(system.settings().config(), settings);
        }

        void accept(Tcp.IncomingConnection incoming) {
            OpenConnections.Place place = connections.open();
            try {
                encrypted(place, incoming.remoteAddress())
                        .join(BidiFlow.<ByteString, ByteString>bidirectionalIdleTimeout(settings.idleTimeout())
                                .atop(BidiFlow.fromGraph(new Wire(place, settings.requestWait()))))
                        .join(incoming.flow().addAttributes(TcpAttributes.tcpWriteBufferSize(1)))
                        .run(system);
            } catch (RuntimeException failed) {
                // One connection must not end the others.
                LOG.error("A connection could not be served.", failed);
                place.closed();
            }
        }

        private Flow<ByteString, ByteString, NotUsed> encrypted(OpenConnections.Place place, InetSocketAddress client) {
            if (encryption.isEmpty()) {
                return http1(place, client)
                        .join(BidiFlow.fromFlows(
                                        Flow.of(SslTlsOutbound.class),
                                        Flow.of(SessionBytes.class).map(SslTlsInbound.class::cast))
                                .atop(TLSPlacebo.getInstance()));
            }
            AtomicReference<SSLEngine> engine = new AtomicReference<>();
            BidiFlow<SslTlsOutbound, ByteString, ByteString, SslTlsInbound, NotUsed> tls =
                    TLS.create(() -> engine.updateAndGet(before -> engine()), TLSClosing.eagerClose());
            return settings.http2().enabled()
                    ? chosen(place, client, engine::get).join(tls)
                    : http1(place, client).join(tls);
        }

        private SSLEngine engine() {
            SSLEngine engine = encryption.orElseThrow().engine();
            if (settings.http2().enabled()) {
                engine.setHandshakeApplicationProtocolSelector((handshake, offered) ->
                        PROTOCOLS.stream().filter(offered::contains).findFirst().orElse(NO_PROTOCOL));
            }
            return engine;
        }

        /** What the client has chosen is known when its first bytes arrive, which have their time like those of a request. */
        private Flow<SslTlsInbound, SslTlsOutbound, NotUsed> chosen(
                OpenConnections.Place place, InetSocketAddress client, Supplier<SSLEngine> engine) {
            Duration wait = place.isCrowded() ? OpenConnections.CROWDED_WAIT : settings.requestWait();
            return Flow.of(SslTlsInbound.class)
                    .initialTimeout(wait)
                    .recoverWith(TimeoutException.class, Source::empty)
                    .via(Flow.lazyFlow(() -> HTTP_2.equals(engine.get().getApplicationProtocol())
                            ? http2(place, client, engine)
                            : http1(place, client)));
        }

        private Flow<SslTlsInbound, SslTlsOutbound, NotUsed> http1(
                OpenConnections.Place place, InetSocketAddress client) {
            return answers.join(
                    BidiFlow.fromGraph(new RequestWait(settings.requestWait(), settings.retryAfter(), place))
                            .reversed()
                            .atop(Http.get(system).serverLayer(pekko, Optional.of(client))));
        }

        private Flow<SslTlsInbound, SslTlsOutbound, NotUsed> http2(
                OpenConnections.Place place, InetSocketAddress client, Supplier<SSLEngine> engine) {
            Http2Hosting host = new Http2Hosting(
                    place,
                    stream -> Flow.of(ByteString.class)
                            .<SslTlsInbound>map(
                                    bytes -> new SessionBytes(engine.get().getSession(), bytes))
                            .via(http1(stream, client))
                            .collectType(SendBytes.class)
                            .map(SendBytes::bytes),
                    settings.requestWait(),
                    metrics);
            return Flow.of(SslTlsInbound.class)
                    .collectType(SessionBytes.class)
                    .map(SessionBytes::bytes)
                    .via(new Http2Connection(
                            host, settings.http2().maxStreams(), Wire.LINGER, Materializer.matFromSystem(system)))
                    .map(SendBytes::new);
        }
    }

    private static ServerSettings serverSettings(Config system, HttpSettings settings) {
        Config ours = ConfigFactory.parseMap(Map.of(
                "pekko.http.server.remote-address-attribute",
                "on",
                "pekko.http.server.server-header",
                "vivarium",
                "pekko.http.server.request-timeout",
                millis(settings.requestTimeout()),
                // What still arrives after the last answer is discarded next to the kernel, where its end is seen.
                "pekko.http.server.linger-timeout",
                millis(Wire.LINGER),
                // For the certificates of callers.
                "pekko.http.server.parsing.ssl-session-attribute",
                "on",
                "pekko.http.server.socket-options.tcp-keep-alive",
                "on",
                "pekko.http.server.parsing.error-handler",
                UnreadableRequests.class.getName(),
                // Clients' malformed headers are not for the operator's log.
                "pekko.http.server.parsing.illegal-header-warnings",
                "off"));
        return ServerSettings.create(ours.withFallback(system));
    }

    private static String millis(Duration duration) {
        return duration.toMillis() + "ms";
    }

    /** The address it listens on, with the actual port if any free one was requested. */
    public InetSocketAddress address() {
        return binding.localAddress();
    }

    /**
     * Serves connections that are accepted elsewhere on this machine.
     *
     * @param max how many there may be at once
     */
    public LocalConnections localConnections(int max) {
        return local.apply(max);
    }

    /** Accepts no new connections, lets open requests finish within the grace period, and then closes them. */
    public CompletionStage<Done> stop(Duration grace) {
        return binding.unbind().thenCompose(unbound -> {
            connections.stop();
            return within(grace).thenCompose(done -> {
                connections.cutOff();
                return within(CUT_OFF_MAX);
            });
        });
    }

    private CompletionStage<Done> within(Duration time) {
        return connections
                .left()
                .toCompletableFuture()
                .completeOnTimeout(Done.getInstance(), time.toMillis(), TimeUnit.MILLISECONDS);
    }
}
