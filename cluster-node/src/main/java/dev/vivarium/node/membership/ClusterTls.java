package dev.vivarium.node.membership;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.pki.pem.DERPrivateKeyLoader;
import org.apache.pekko.pki.pem.PEMDecoder;

/**
 * Mutual TLS between nodes, configured by {@code vivarium.cluster.tls}; replaced files are reloaded. Files are checked
 * at start: Artery would only find errors at its first connection, and log them.
 */
public final class ClusterTls {
    private static final String BLOCK = "vivarium.cluster.tls";
    private static final String KEY = "key";
    private static final String CERTIFICATE = "certificate";
    private static final String AUTHORITY = "authority";
    private static final String ENGINE = "pekko.remote.artery.ssl.rotating-keys-engine";
    /** Artery reads only RSA keys, and this is their signature algorithm. */
    private static final String SIGNATURE = "SHA256withRSA";

    private final Config tls;

    private ClusterTls(Config tls) {
        this.tls = tls;
    }

    /** The layer of configuration that enables it; empty when it is off. */
    public static Config layer(Config config) throws NodeStartException {
        Config tls = config.getConfig(BLOCK);
        if (!tls.getBoolean("enabled")) {
            return ConfigFactory.empty();
        }
        ClusterTls files = new ClusterTls(tls);
        files.check();
        Map<String, Object> layer = new HashMap<>();
        layer.put("pekko.remote.artery.transport", "tls-tcp");
        layer.put(
                "pekko.remote.artery.ssl.ssl-engine-provider",
                "org.apache.pekko.remote.artery.tcp.ssl.RotatingKeysSSLEngineProvider");
        layer.put(ENGINE + ".key-file", files.name(KEY));
        layer.put(ENGINE + ".cert-file", files.name(CERTIFICATE));
        layer.put(ENGINE + ".ca-cert-file", files.name(AUTHORITY));
        return ConfigFactory.parseMap(layer, BLOCK);
    }

    private void check() throws NodeStartException {
        PrivateKey key = privateKey();
        X509Certificate certificate = certificate(CERTIFICATE);
        X509Certificate authority = certificate(AUTHORITY);
        try {
            certificate.checkValidity();
        } catch (CertificateException outOfTime) {
            throw new NodeStartException(described(CERTIFICATE) + " is valid from "
                    + certificate.getNotBefore().toInstant() + " until "
                    + certificate.getNotAfter().toInstant() + ", which is not now.");
        }
        try {
            certificate.verify(authority.getPublicKey());
        } catch (GeneralSecurityException another) {
            throw new NodeStartException(described(CERTIFICATE) + " was not issued by " + described(AUTHORITY) + ".");
        }
        if (!belongTogether(key, certificate)) {
            throw new NodeStartException(described(KEY) + " is not the key of " + described(CERTIFICATE) + ".");
        }
    }

    private static boolean belongTogether(PrivateKey key, X509Certificate certificate) {
        try {
            byte[] text = BLOCK.getBytes(StandardCharsets.UTF_8);
            Signature signature = Signature.getInstance(SIGNATURE);
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException ofAnotherKind) {
            return false;
        }
    }

    private PrivateKey privateKey() throws NodeStartException {
        String text = text(KEY);
        try {
            return DERPrivateKeyLoader.load(PEMDecoder.decode(text));
        } catch (Exception unreadable) {
            // Catches everything, since Scala declares no exceptions. The library's message is dropped: it could quote
            // the key.
            throw new NodeStartException(
                    described(KEY) + " must contain an RSA key in PEM (PKCS #8, without a password), and does not.");
        }
    }

    private X509Certificate certificate(String which) throws NodeStartException {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            return (X509Certificate) factory.generateCertificate(
                    new ByteArrayInputStream(text(which).getBytes(StandardCharsets.UTF_8)));
        } catch (CertificateException unreadable) {
            throw new NodeStartException(described(which) + " must contain an X.509 certificate in PEM, and does not.");
        }
    }

    private String text(String which) throws NodeStartException {
        String file = name(which);
        try {
            return Files.readString(Path.of(file), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new NodeStartException(
                    BLOCK + "." + which + " is \"" + file + "\", and must be a readable PEM file.");
        }
    }

    private String name(String which) {
        return tls.getString(which);
    }

    private String described(String which) {
        return BLOCK + "." + which + " (" + name(which) + ")";
    }
}
