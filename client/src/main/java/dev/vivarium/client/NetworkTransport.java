package dev.vivarium.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.GeneralSecurityException;
import java.time.Duration;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/** To an address of the network. */
final class NetworkTransport implements Transport {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    private final URI server;
    private final HttpClient http;

    NetworkTransport(URI server, Credentials credentials, Trust trust) {
        this.server = server;
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT);
        if ("http".equals(server.getScheme())) {
            builder.sslContext(emptyTrustContext());
        } else {
            trust.context(credentials.certificate()).ifPresent(builder::sslContext);
        }
        this.http = builder.build();
    }

    /** For connections without TLS: the JDK's default context would read the machine's trust store each time. */
    private static SSLContext emptyTrustContext() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[0], new TrustManager[0], null);
            return context;
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every JDK has TLS.", impossible);
        }
    }

    @Override
    public URI base() {
        return server;
    }

    @Override
    public HttpResponse<InputStream> send(HttpRequest request) throws IOException, InterruptedException {
        return http.send(request, BodyHandlers.ofInputStream());
    }
}
