package dev.vivarium.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Which authorities a client believes when a node presents its certificate. The node's name is always checked. */
public final class Trust {
    /** Those that this Java trusts. */
    public static final Trust JAVA = new Trust(Optional.empty());

    /** The variable that names a file of authorities. */
    public static final String VARIABLE = "VIVARIUM_AUTHORITY";

    private final Optional<TrustManager[]> managers;

    private Trust(Optional<TrustManager[]> managers) {
        this.managers = managers;
    }

    /**
     * Those of the file that {@value #VARIABLE} names; where there is none, those that this Java trusts.
     *
     * @throws IOException with a sentence for the user when the file is of no use
     */
    public static Trust find(Map<String, String> environment) throws IOException {
        String named = environment.getOrDefault(VARIABLE, "").strip();
        return named.isEmpty() ? JAVA : in(Path.of(named));
    }

    /**
     * The authorities in a PEM file, and no others.
     *
     * @throws IOException with a sentence for the user when the file is of no use
     */
    public static Trust in(Path file) throws IOException {
        try (InputStream pem = Files.newInputStream(file)) {
            Collection<? extends Certificate> authorities =
                    CertificateFactory.getInstance("X.509").generateCertificates(pem);
            if (authorities.isEmpty()) {
                throw noAuthorities(file);
            }
            return new Trust(Optional.of(managers(authorities)));
        } catch (CertificateException unreadable) {
            throw noAuthorities(file);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every JDK has PKCS #12, PKIX and TLS.", impossible);
        }
    }

    private static IOException noAuthorities(Path file) {
        return new IOException(file + " must contain certificates of authorities in PEM, and does not.");
    }

    private static TrustManager[] managers(Collection<? extends Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int number = 0;
        for (Certificate authority : authorities) {
            store.setCertificateEntry("authority-" + number++, authority);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        return trust.getTrustManagers();
    }

    /**
     * What connections are made from; empty for the default of this Java.
     *
     * @param certificate what the client presents to nodes that ask for it
     */
    @SuppressWarnings("NullAway") // The JDK takes null for its own authorities, and has no other name for them.
    Optional<SSLContext> context(Optional<ClientCertificate> certificate) {
        if (managers.isEmpty() && certificate.isEmpty()) {
            return Optional.empty();
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    certificate.map(ClientCertificate::keys).orElseGet(() -> new KeyManager[0]),
                    managers.orElse(null),
                    null);
            return Optional.of(context);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("Every JDK has TLS.", impossible);
        }
    }
}
