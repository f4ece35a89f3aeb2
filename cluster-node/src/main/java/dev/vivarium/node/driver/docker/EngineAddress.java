package dev.vivarium.node.driver.docker;

import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.transport.SSLConfig;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * The engine's address, and how to connect to it.
 *
 * @param uri {@code unix:///path} or {@code tcp://host:port}
 * @param tls TLS settings, if DOCKER_TLS_VERIFY and DOCKER_CERT_PATH are set
 */
record EngineAddress(URI uri, Optional<SSLConfig> tls) {
    EngineAddress {
        boolean unix = "unix".equals(uri.getScheme()) && uri.getPath() != null;
        boolean tcp = "tcp".equals(uri.getScheme()) && uri.getHost() != null && uri.getPort() > 0;
        if (!unix && !tcp) {
            throw new IllegalArgumentException(
                    "The engine's address " + uri + " must be unix:///path or tcp://host:port.");
        }
    }

    static EngineAddress of(URI uri) {
        // Checks the scheme before docker-java does, which gives a less clear error.
        EngineAddress plain = new EngineAddress(uri, Optional.empty());
        if (plain.isLocal()) {
            return plain;
        }
        SSLConfig tls = DefaultDockerClientConfig.createDefaultConfigBuilder()
                .withDockerHost(uri.toString())
                .build()
                .getSSLConfig();
        return new EngineAddress(uri, Optional.ofNullable(tls));
    }

    /** Whether the engine is on this machine, so that its control groups may be visible here. */
    boolean isLocal() {
        return "unix".equals(uri.getScheme());
    }

    /** The address for a socket. Blocks for the machine's resolver. */
    SocketAddress socket() {
        return isLocal()
                ? UnixDomainSocketAddress.of(Path.of(uri.getPath()))
                : new InetSocketAddress(uri.getHost(), uri.getPort());
    }

    /** The TLS handler that a connection outside the client's pool needs; empty without TLS. */
    Optional<SslHandler> security() throws IOException {
        return tlsContext().map(context -> {
            SSLEngine engine = context.createSSLEngine(uri.getHost(), uri.getPort());
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            engine.setSSLParameters(parameters);
            return new SslHandler(engine);
        });
    }

    private Optional<SSLContext> tlsContext() throws IOException {
        if (tls.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(tls.get().getSSLContext());
        } catch (GeneralSecurityException unusable) {
            throw new IOException("The certificates for the engine cannot be used: " + unusable.getMessage(), unusable);
        }
    }
}
