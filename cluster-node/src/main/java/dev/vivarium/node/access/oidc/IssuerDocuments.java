package dev.vivarium.node.access.oidc;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jose.util.JSONObjectUtils;
import dev.vivarium.persistence.durable.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Reads what an issuer publishes, blocking: its configuration (OpenID Connect Discovery 1.0, section 4), which names the address
 * of its keys, and the keys (RFC 7517). Bounds: 256 KiB a document and a time for each; redirects are not followed.
 */
final class IssuerDocuments {
    private static final String CONFIGURATION = "/.well-known/openid-configuration";
    private static final int BYTES_MAX = 256 << 10;
    private static final int TOKEN_BYTES_MAX = 16 << 10;

    private final IssuerSettings issuer;
    private final Duration timeout;

    IssuerDocuments(IssuerSettings issuer, Duration timeout) {
        this.issuer = issuer;
        this.timeout = timeout;
    }

    /** The keys by which the issuer's signatures are verified now. */
    JWKSet keys() throws IssuerUnavailable {
        try {
            Reader reader = new Reader(timeout, trusted());
            if (issuer.tokenFile().isPresent()) {
                reader.setHeaders(Map.of(
                        "Authorization",
                        List.of("Bearer " + token(issuer.tokenFile().get()))));
            }
            return JWKSet.parse(read(reader, keysAddress(read(reader, configurationAddress()))));
        } catch (IOException | GeneralSecurityException | ParseException | URISyntaxException failed) {
            throw new IssuerUnavailable(
                    "The keys of issuer " + issuer.name() + " cannot be read from " + issuer.issuer() + ": "
                            + failed.getMessage(),
                    failed);
        }
    }

    private URI configurationAddress() {
        String base = issuer.issuer().toString();
        return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + CONFIGURATION);
    }

    private URI keysAddress(String configuration) throws IOException, ParseException, URISyntaxException {
        Map<String, Object> found = JSONObjectUtils.parse(configuration, BYTES_MAX);
        if (!issuer.issuer().toString().equals(found.get("issuer"))) {
            throw new IOException("its configuration is that of the issuer " + found.get("issuer"));
        }
        URI keys = new URI(String.valueOf(found.get("jwks_uri")));
        if (!IssuerSettings.isSafe(keys)) {
            throw new IOException("its keys are at " + keys + ", which does not begin with https://");
        }
        return keys;
    }

    private static String read(Reader reader, URI address) throws IOException {
        return reader.retrieveResource(address.toURL()).getContent();
    }

    /** Read each time: such tokens are short-lived, and the file is replaced. */
    private static String token(Path file) throws IOException {
        return new String(DurableFiles.read(file, TOKEN_BYTES_MAX), StandardCharsets.US_ASCII).strip();
    }

    private Optional<SSLSocketFactory> trusted() throws IOException, GeneralSecurityException {
        return issuer.authority().isPresent()
                ? Optional.of(trusting(issuer.authority().get()))
                : Optional.empty();
    }

    private static SSLSocketFactory trusting(Path authority) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(authority)) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                store.setCertificateEntry("authority-" + number++, one);
            }
            if (number == 0) {
                throw new IOException(authority + " holds no certificates in PEM");
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    /** An answer that comes byte by byte is broken off, too. */
    private static final class Reader extends DefaultResourceRetriever {
        private final Duration timeout;

        Reader(Duration timeout, Optional<SSLSocketFactory> trusted) {
            super(
                    Math.toIntExact(timeout.toMillis()),
                    Math.toIntExact(timeout.toMillis()),
                    BYTES_MAX,
                    true,
                    trusted.orElse(null));
            this.timeout = timeout;
        }

        @Override
        protected HttpURLConnection openHTTPConnection(URL address) throws IOException {
            HttpURLConnection connection = super.openHTTPConnection(address);
            connection.setInstanceFollowRedirects(false);
            CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(connection::disconnect);
            return connection;
        }
    }
}
