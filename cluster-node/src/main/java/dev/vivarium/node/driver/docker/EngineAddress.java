package dev.vivarium.node.driver.docker;

import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.transport.SSLConfig;
import dev.vivarium.node.driver.guest.Wire;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * Where the engine listens, and how to connect there.
 *
 * @param uri {@code unix:///path} or {@code tcp://host:port}
 * @param tls how to speak TLS to it, where DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for that
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
        // The scheme is checked before docker-java sees the address: it refuses others less clearly.
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

    /** Whether the engine shares this machine, so that its control groups may be visible here. */
    boolean isLocal() {
        return "unix".equals(uri.getScheme());
    }

    /** Opens a connection of its own, outside of the client's pool. */
    Wire connect(Duration timeout) throws IOException {
        if (isLocal()) {
            return Wire.unix(Path.of(uri.getPath()));
        }
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setKeepAlive(true);
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), Math.toIntExact(timeout.toMillis()));
            Optional<SSLContext> context = tlsContext();
            return Wire.socket(context.isPresent() ? secured(socket, context.get()) : socket);
        } catch (IOException | RuntimeException failure) {
            socket.close();
            throw failure;
        }
    }

    private Socket secured(Socket socket, SSLContext context) throws IOException {
        SSLSocket secured =
                (SSLSocket) context.getSocketFactory().createSocket(socket, uri.getHost(), uri.getPort(), true);
        var parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
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
