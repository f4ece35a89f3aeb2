package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.config.DriverOption;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.metadata.EndPoint;
import com.datastax.oss.driver.api.core.ssl.SslEngineFactory;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * Makes the driver speak TLS 1.2 or 1.3 with servers whose certificates an authority of a PEM file, or one that Java trusts, has
 * signed for the address that the driver knows the server by. The file is read for each connection, so that authorities are
 * replaced without a restart; a connection fails while it cannot be read.
 *
 * <p>Public with this constructor because the driver makes it by its name.
 */
public final class VerifiedServers implements SslEngineFactory {
    /** The path of the file; empty for what Java trusts. */
    static final DriverOption AUTHORITY = () -> "advanced.ssl-engine-factory.authority";

    private final String authority;

    /** For the driver's session with this context. */
    public VerifiedServers(DriverContext context) {
        this.authority = context.getConfig().getDefaultProfile().getString(AUTHORITY);
    }

    @Override
    public SSLEngine newSslEngine(EndPoint server) {
        if (!(server.resolve() instanceof InetSocketAddress address)) {
            throw new IllegalArgumentException(server + " has no host to verify.");
        }
        SSLEngine engine = context().createSSLEngine(address.getHostString(), address.getPort());
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        engine.setSSLParameters(parameters);
        return engine;
    }

    private SSLContext context() {
        try {
            return authority.isEmpty() ? SSLContext.getDefault() : trusting(Path.of(authority));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(authority + " cannot be read", unreadable);
        } catch (GeneralSecurityException useless) {
            throw new IllegalStateException(authority + " holds no authorities: " + useless.getMessage(), useless);
        }
    }

    /**
     * What trusts the file's authorities alone.
     *
     * @throws GeneralSecurityException when the file holds none
     */
    static SSLContext trusting(Path authority) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream file = new BufferedInputStream(Files.newInputStream(authority))) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                trusted.setCertificateEntry("authority-" + number++, one);
            }
        }
        if (trusted.size() == 0) {
            throw new CertificateException("no certificate");
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Override
    public void close() {}
}
