package dev.vivarium.client;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;

/** A certificate with its private key, by which a client proves who it is in the handshake of TLS. */
public final class ClientCertificate {
    /** The variable that names the file of the certificate. */
    public static final String VARIABLE = "VIVARIUM_CLIENT_CERTIFICATE";

    /** The variable that names the file of its key. */
    public static final String KEY_VARIABLE = "VIVARIUM_CLIENT_KEY";

    private static final int FILE_BYTES_MAX = 1 << 20;
    private static final char[] IN_MEMORY = new char[0];
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private final KeyManager[] keys;

    private ClientCertificate(KeyManager[] keys) {
        this.keys = keys;
    }

    /**
     * The one of the files that {@value #VARIABLE} and {@value #KEY_VARIABLE} name.
     *
     * @throws IOException with a sentence for the user when only one is named, or a file is of no use
     */
    public static Optional<ClientCertificate> find(Map<String, String> environment) throws IOException {
        String certificate = environment.getOrDefault(VARIABLE, "").strip();
        String key = environment.getOrDefault(KEY_VARIABLE, "").strip();
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new IOException("Set both of " + VARIABLE + " and " + KEY_VARIABLE + ", or none.");
        }
        return certificate.isEmpty() ? Optional.empty() : Optional.of(in(Path.of(certificate), Path.of(key)));
    }

    /**
     * Reads two PEM files.
     *
     * @param certificate the client's own, and after it those that lead to an authority that the node accepts
     * @param key its private key in PKCS #8, without a password
     * @throws IOException with a sentence for the user when a file is of no use
     */
    public static ClientCertificate in(Path certificate, Path key) throws IOException {
        Certificate[] chain = chain(certificate);
        PrivateKey secret = key(key, chain[0].getPublicKey().getAlgorithm());
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, IN_MEMORY);
            store.setKeyEntry("client", secret, IN_MEMORY, chain);
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, IN_MEMORY);
            return new ClientCertificate(factory.getKeyManagers());
        } catch (GeneralSecurityException useless) {
            throw new IOException(
                    certificate + " must hold the client's certificate, each followed by the one of its issuer.",
                    useless);
        }
    }

    private static Certificate[] chain(Path file) throws IOException {
        try {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes(file)));
            if (!found.isEmpty()) {
                return found.toArray(Certificate[]::new);
            }
        } catch (CertificateException unreadable) {
            throw noCertificate(file);
        }
        throw noCertificate(file);
    }

    private static IOException noCertificate(Path file) {
        return new IOException(file + " must contain the client's certificate in PEM, and does not.");
    }

    private static PrivateKey key(Path file, String algorithm) throws IOException {
        Matcher pem = PKCS8.matcher(new String(bytes(file), StandardCharsets.US_ASCII));
        if (!pem.find()) {
            throw noKey(file);
        }
        try {
            byte[] key = Base64.getMimeDecoder().decode(pem.group(1));
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(key));
        } catch (GeneralSecurityException | IllegalArgumentException unreadable) {
            // The cause is dropped: it could quote the key.
            throw noKey(file);
        }
    }

    private static IOException noKey(Path file) {
        return new IOException(
                file + " must contain the certificate's private key in PEM (PKCS #8), without a password:"
                        + " `openssl pkcs8 -topk8 -nodes` makes it from others.");
    }

    private static byte[] bytes(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new IOException(file + " is larger than any certificate or key.");
        }
        return Files.readAllBytes(file);
    }

    KeyManager[] keys() {
        return keys;
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ClientCertificate[]";
    }
}
