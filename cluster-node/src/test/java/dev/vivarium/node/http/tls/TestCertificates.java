package dev.vivarium.node.http.tls;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** An authority that issues certificates for tests, into a folder. */
public final class TestCertificates {
    private static final X500Name SELF = new X500Name("CN=authority of tests");

    private final Path folder;
    private final KeyPair authority = pair("EC");
    private final X509Certificate own;
    private long serial = 1;

    public TestCertificates(Path folder) {
        this.folder = folder;
        this.own = issued(SELF, authority, List.of(), Instant.now().plus(Duration.ofDays(30)));
        write(authorityFile(), own);
    }

    /** What clients have to trust. */
    public Path authorityFile() {
        return folder.resolve("authority.crt");
    }

    /** Where certificate and key of the node are. */
    public TlsFiles files() {
        return new TlsFiles(folder.resolve("node.crt"), folder.resolve("node.key"));
    }

    /** Issues a certificate for these names with a new key of an elliptic curve, and replaces the node's files. */
    public X509Certificate issue(String... names) {
        return issue("EC", Instant.now().plus(Duration.ofDays(20)), names);
    }

    X509Certificate issue(String algorithm, Instant end, String... names) {
        KeyPair keys = pair(algorithm);
        X509Certificate certificate = issued(new X500Name("CN=node"), keys, Arrays.asList(names), end);
        write(files().certificate(), certificate, own);
        write(files().key(), new PemObject("PRIVATE KEY", keys.getPrivate().getEncoded()));
        return certificate;
    }

    /** Certificate and key of a caller. */
    public record Caller(Path certificate, Path key, X509Certificate issued) {}

    /** Issues a certificate for clients, for a subject as RFC 4514 writes it. */
    public Caller caller(String subject) {
        return caller(subject, Instant.now().plus(Duration.ofDays(20)), KeyPurposeId.id_kp_clientAuth);
    }

    public Caller caller(String subject, Instant end, KeyPurposeId purpose) {
        KeyPair keys = pair("EC");
        X509Certificate issued =
                issued(new X500Name(subject), keys, List.of(), end, Optional.of(new ExtendedKeyUsage(purpose)));
        Path certificate = folder.resolve("caller-" + issued.getSerialNumber() + ".crt");
        Path key = folder.resolve("caller-" + issued.getSerialNumber() + ".key");
        write(certificate, issued);
        write(key, new PemObject("PRIVATE KEY", keys.getPrivate().getEncoded()));
        return new Caller(certificate, key, issued);
    }

    /** What is revoked; written by {@link #revoke}. */
    public Path revokedFile() {
        return folder.resolve("revoked.crl");
    }

    /** Replaces the list of what is revoked. */
    public void revoke(X509Certificate... revoked) {
        Date now = Date.from(Instant.now());
        X509v2CRLBuilder list = new X509v2CRLBuilder(SELF, now);
        Arrays.stream(revoked).forEach(one -> list.addCRLEntry(one.getSerialNumber(), now, CRLReason.unspecified));
        try {
            write(
                    revokedFile(),
                    new PemObject(
                            "X509 CRL",
                            list.build(new JcaContentSignerBuilder("SHA256withECDSA").build(authority.getPrivate()))
                                    .getEncoded()));
        } catch (IOException | OperatorCreationException failed) {
            throw new AssertionError(failed);
        }
    }

    private X509Certificate issued(X500Name name, KeyPair keys, List<String> names, Instant end) {
        return issued(name, keys, names, end, Optional.empty());
    }

    private X509Certificate issued(
            X500Name name, KeyPair keys, List<String> names, Instant end, Optional<ExtendedKeyUsage> usage) {
        X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                SELF,
                BigInteger.valueOf(serial++),
                Date.from(end.minus(Duration.ofDays(365))),
                Date.from(end),
                name,
                keys.getPublic());
        try {
            if (name.equals(SELF)) {
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            }
            if (usage.isPresent()) {
                builder.addExtension(Extension.extendedKeyUsage, false, usage.get());
            }
            if (!names.isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(names.stream()
                                .map(TestCertificates::generalName)
                                .toArray(GeneralName[]::new)));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(
                            new JcaContentSignerBuilder("SHA256withECDSA").build(authority.getPrivate())));
        } catch (CertIOException | OperatorCreationException | GeneralSecurityException failed) {
            throw new AssertionError(failed);
        }
    }

    private static GeneralName generalName(String name) {
        boolean address = name.matches("[0-9.]+");
        return new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, name);
    }

    static KeyPair pair(String algorithm) {
        try {
            return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static void write(Path file, Object... parts) {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
            for (Object part : parts) {
                pem.writeObject(part);
            }
            pem.flush();
            Files.writeString(file, text.toString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
