package dev.vivarium.node.network.gateway;

import dev.vivarium.node.network.Closing;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.InjectedHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection for plain HTTP or for the proxy. Requests are handled in sequence; each is judged separately
 * and has its own connection to the outside. Meanwhile the next one waits in the preceding {@code FlowControlHandler}.
 * A denied client gets problem details with the reason, and its connection is closed.
 */
final class HttpProxyHandler extends SimpleChannelInboundHandler<HttpObject> {

    /** Methods that echo the request: one of RFC 9110, and a proprietary one of some servers. */
    private static final Set<String> SENT_BACK = Set.of("TRACE", "TRACK");

    private final RequestHead.ProxyMode mode;
    private final EgressSubject subject;
    private final UpstreamConnector connector;
    private final TlsInternet tls;
    private final GatewaySettings settings;
    private List<InjectedHeader> injected = List.of();
    private Optional<Channel> outside = Optional.empty();
    private @Nullable Future<?> headDeadline;
    private boolean bodyComplete;
    private boolean refused;
    private boolean tunnelled;

    HttpProxyHandler(
            RequestHead.ProxyMode mode,
            EgressSubject subject,
            UpstreamConnector connector,
            TlsInternet tls,
            GatewaySettings settings) {
        super(false);
        this.mode = mode;
        this.subject = subject;
        this.connector = connector;
        this.tls = tls;
        this.settings = settings;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        awaitHead(context.channel());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (tunnelled && message instanceof HttpRequest) {
            // Sent before the tunnel existed and parsed as a request: the rest of it would be missing in the tunnel.
            ReferenceCountUtil.release(message);
            Closing.of(context.channel());
        } else if (refused || tunnelled) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof HttpRequest request) {
            begin(context.channel(), request);
        } else if (message instanceof HttpContent content) {
            passOn(context.channel(), content);
        }
    }

    private void begin(Channel client, HttpRequest request) {
        headArrived();
        RequestHead head = RequestHead.of(request, mode);
        if (head instanceof RequestHead.Refused no) {
            connector.recordDenial(subject, no.denial());
            refuse(client, no.denial());
            return;
        }
        // Read nothing more until the destination is known.
        client.config().setAutoRead(false);
        bodyComplete = false;
        injected = List.of();
        if (head instanceof RequestHead.Forward forward) {
            injected = injected(forward.target());
            if (forward.target() instanceof Target.Named named && !injected.isEmpty()) {
                beginInjected(client, request, forward, new Target.Named(named.name(), InjectedHeader.PORT));
            } else {
                open(client, forward.target(), channel -> forward(client, request, forward, channel));
            }
        } else if (head instanceof RequestHead.Tunnel tunnel) {
            open(client, tunnel.target(), channel -> tunnel(client, tunnel.target(), channel));
        }
    }

    private interface Use {
        void of(Channel channel);
    }

    private void open(Channel client, Target target, Use use) {
        connector.open(subject, target, client, waiting(client, use));
    }

    private UpstreamConnector.Waiting waiting(Channel client, Use use) {
        return new UpstreamConnector.Waiting() {
            @Override
            public void connected(Channel channel) {
                outside = Optional.of(channel);
                use.of(channel);
            }

            @Override
            public void denied(Denial denial) {
                refuse(client, denial);
            }
        };
    }

    /** The headers with secrets for a plain request to a host; only for the port of plain HTTP. */
    private List<InjectedHeader> injected(Target target) {
        return target instanceof Target.Named named && named.port() == RequestHead.HTTP_PORT
                ? subject.policy().injectedFor(named.name())
                : List.of();
    }

    /** The client sends plain HTTP; the gateway continues with TLS, and only there adds the secrets. */
    private void beginInjected(Channel client, HttpRequest request, RequestHead.Forward forward, Target.Named secured) {
        if (SENT_BACK.contains(request.method().name().toUpperCase(Locale.ROOT))) {
            Denial denial = Denial.of(
                    secured,
                    DenialReason.NOT_LISTED,
                    "A host answers " + request.method() + " with the request itself, which has a secret in it then:"
                            + " use another method.");
            connector.recordDenial(subject, denial);
            refuse(client, denial);
            return;
        }
        connector.openForHeaders(
                subject,
                secured,
                client,
                waiting(
                        client,
                        channel -> tls.begin(channel, secured.name(), new TlsInternet.Waiting() {
                            @Override
                            public void secured() {
                                forwardInjected(client, request, forward, channel);
                            }

                            @Override
                            public void refused() {
                                unsecured(client, secured);
                            }
                        })));
    }

    private void forwardInjected(Channel client, HttpRequest request, RequestHead.Forward forward, Channel channel) {
        Optional<SecretHeaders> secrets = SecretHeaders.of(subject, injected);
        if (secrets.isEmpty()) {
            // Its sandbox has ended, and all of its connections.
            Closing.of(channel);
            Closing.of(client);
            return;
        }
        channel.pipeline().addLast(secrets.get());
        forward(client, request, forward, channel);
    }

    private void unsecured(Channel client, Target.Named target) {
        Denial denial = Denial.of(
                target,
                DenialReason.UNREACHABLE,
                target.host() + " has no certificate of that name that this node trusts, or no TLS 1.2 or later: ask"
                        + " the node's operator to look at vivarium.egress.gateway.extra-authorities.");
        connector.recordDenial(subject, denial);
        refuse(client, denial);
    }

    private void forward(Channel client, HttpRequest request, RequestHead.Forward forward, Channel channel) {
        boolean continues = HttpUtil.is100ContinueExpected(request);
        ResponseRelay response = new ResponseRelay(client, this, forward.target(), request);
        RequestHead.makeForward(request, forward);
        SecretHeaders.makeRoom(request.headers(), injected);
        channel.pipeline().addLast(HttpPipeline.towardsOutside(settings)).addLast(response);
        channel.config().setAutoRead(true);
        channel.writeAndFlush(request).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (continues) {
            client.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE))
                    .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }
        client.config().setAutoRead(true);
    }

    private void passOn(Channel client, HttpContent content) {
        if (outside.isEmpty() || content.decoderResult().isFailure()) {
            boolean strange = content.decoderResult().isFailure();
            content.release();
            if (strange) {
                connector.recordDenial(subject, Denial.malformed(RequestHead.HTTP_PORT, ""));
                Closing.of(client);
            }
            return;
        }
        Channel channel = outside.get();
        if (content instanceof LastHttpContent last) {
            SecretHeaders.makeRoom(last.trailingHeaders(), injected);
            bodyComplete = true;
            client.config().setAutoRead(false);
        } else if (!channel.isWritable()) {
            client.config().setAutoRead(false);
        }
        channel.writeAndFlush(content).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }

    /** The outside can take more of the request's body. */
    void outsideIsWritable(Channel client) {
        if (!bodyComplete) {
            client.config().setAutoRead(true);
        }
    }

    /** The response was passed on; the connection can take the next request if it is to be kept alive. */
    void answered(Channel client, boolean keepsAlive) {
        outside.ifPresent(Closing::of);
        outside = Optional.empty();
        if (!keepsAlive || !bodyComplete) {
            client.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        awaitHead(client);
        client.config().setAutoRead(true);
    }

    /** The outside closed the connection before its response was complete. */
    void unanswered(Channel client, Target target) {
        Denial denial = Denial.of(
                target,
                DenialReason.UNREACHABLE,
                target.host() + " closed the connection without an answer: try again later.");
        connector.recordDenial(subject, denial);
        refuse(client, denial);
    }

    private void tunnel(Channel client, Target target, Channel channel) {
        // The end of the CONNECT request is still to come from the preceding handler.
        tunnelled = true;
        outside = Optional.empty();
        ByteBuf established =
                Unpooled.copiedBuffer("HTTP/1.1 200 Connection established\r\n\r\n", StandardCharsets.US_ASCII);
        boolean anyName =
                target instanceof Target.Literal && subject.policy().inject().isEmpty();
        if (!anyName) {
            client.pipeline()
                    .addLast(new TunnelledBytes(new OpenTunnel(subject, target, channel, connector, settings)));
        }
        HttpPipeline.remove(client.pipeline());
        client.writeAndFlush(established).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (anyName) {
            Relay.pass(client, channel);
        }
        if (anyName || target.port() != TlsByName.TLS_PORT) {
            // Some servers speak first. TLS servers do not, and are not read from until the name in TLS has been
            // checked.
            Relay.pass(channel, client);
        }
        client.config().setAutoRead(true);
        client.pipeline().remove(this);
    }

    private void refuse(Channel client, Denial denial) {
        refused = true;
        outside.ifPresent(Closing::of);
        DenialResponse.send(client, denial);
    }

    private void awaitHead(Channel client) {
        headArrived();
        headDeadline = client.eventLoop()
                .schedule(() -> Closing.of(client), settings.headTimeout().toMillis(), TimeUnit.MILLISECONDS);
    }

    private void headArrived() {
        if (headDeadline != null) {
            headDeadline.cancel(false);
        }
    }

    /** The client can, or cannot for now, take more of a response. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        boolean writable = context.channel().isWritable();
        outside.ifPresent(channel -> channel.config().setAutoRead(writable));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        headArrived();
        outside.ifPresent(Closing::of);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        headArrived();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        outside.ifPresent(Closing::of);
        Closing.of(context.channel());
    }
}
