package dev.vivarium.node.network.gateway;

import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.Closing;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * TLS from the gateway to hosts that receive secrets. A host must present a certificate for its name, from an authority
 * that the platform trusts or the operator has added; nothing is sent before.
 */
final class TlsInternet {
    private final SslContext context;
    private final Duration handshakeMax;

    private TlsInternet(SslContext context, Duration handshakeMax) {
        this.context = context;
        this.handshakeMax = handshakeMax;
    }

    /** @throws ConfigException when the operator's authorities cannot be read, with the reason */
    static TlsInternet of(GatewaySettings settings) {
        try {
            SslContext context = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .trustManager(trusted(settings.extraAuthorities()))
                    .endpointIdentificationAlgorithm("HTTPS")
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            ApplicationProtocolNames.HTTP_1_1))
                    .build();
            return new TlsInternet(context, settings.connectTimeout());
        } catch (SSLException | GeneralSecurityException impossible) {
            throw new IllegalStateException("This Java has no TLS for clients.", impossible);
        }
    }

    /** Receives the result; called on the connection's event loop. */
    interface Waiting {
        /** The host is authenticated; nothing has been sent yet. */
        void secured();

        /** The host could not be authenticated in time; the connection is closed. */
        void refused();
    }

    /** Starts TLS on a fresh connection. */
    void begin(Channel channel, HostName host, Waiting waiting) {
        SslHandler tls = context.newHandler(channel.alloc(), host.value(), InjectedHeader.PORT);
        tls.setHandshakeTimeoutMillis(handshakeMax.toMillis());
        channel.pipeline().addLast(tls).addLast(new Silent());
        tls.handshakeFuture().addListener(shaken -> {
            if (shaken.isSuccess()) {
                waiting.secured();
            } else {
                Closing.of(channel);
                waiting.refused();
            }
        });
        channel.config().setAutoRead(true);
    }

    /** Handshake errors are reported by the future; logging them would let sandboxes fill the log. */
    private static final class Silent extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Closing.of(context.channel());
        }
    }

    private static TrustManagerFactory trusted(Optional<Path> more) throws GeneralSecurityException {
        TrustManagerFactory platform = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        platform.init((KeyStore) null);
        if (more.isEmpty()) {
            return platform;
        }
        List<Certificate> all = new ArrayList<>(authorities(more.get()));
        Stream.of(platform.getTrustManagers())
                .filter(X509TrustManager.class::isInstance)
                .map(X509TrustManager.class::cast)
                .flatMap(manager -> Stream.<X509Certificate>of(manager.getAcceptedIssuers()))
                .forEach(all::add);
        TrustManagerFactory both = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        both.init(storeOf(all));
        return both;
    }

    private static KeyStore storeOf(List<Certificate> certificates) throws GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (IOException impossible) {
            throw new IllegalStateException("An empty store is read from nowhere.", impossible);
        }
        for (int index = 0; index < certificates.size(); index++) {
            store.setCertificateEntry("authority-" + index, certificates.get(index));
        }
        return store;
    }

    private static List<? extends Certificate> authorities(Path file) throws GeneralSecurityException {
        try (InputStream pem = Files.newInputStream(file)) {
            List<? extends Certificate> read =
                    List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(pem));
            if (!read.isEmpty()) {
                return read;
            }
        } catch (IOException | GeneralSecurityException unreadable) {
            throw new ConfigException.BadValue(
                    GatewaySettings.PATH + GatewaySettings.EXTRA_AUTHORITIES,
                    file + " cannot be read as certificates in PEM: " + unreadable.getMessage(),
                    unreadable);
        }
        throw new ConfigException.BadValue(
                GatewaySettings.PATH + GatewaySettings.EXTRA_AUTHORITIES, file + " holds no certificate");
    }
}
