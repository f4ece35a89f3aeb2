package dev.vivarium.node.certificates;

import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/**
 * The authority of one cluster, in a folder: {@code authority.crt} and {@code authority.key}, {@code revoked.crl}, and
 * {@code NAME.crt} with {@code NAME.key} for each node. Keys are of the curve P-256, new with each certificate, and readable by
 * the owner only. Every file is the old one or the new one, whatever happens. One process at a time may use a folder.
 */
public final class Authority {
    /** How long a node's certificate holds, unless asked otherwise. */
    public static final Duration LIFE = Duration.ofDays(365);

    private static final Duration OWN_LIFE = Duration.ofDays(3_650);
    /** For clocks of nodes that are behind. */
    private static final Duration CLOCK_SKEW = Duration.ofHours(1);
    /** A certificate is renewed when less than this share of its life is left. */
    private static final int RENEWAL_SHARE = 3;

    private static final int SERIAL_BITS = 127;
    private static final String SELF = "authority";
    private static final String REVOKED = "revoked.crl";
    private static final String CERTIFICATE = ".crt";
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;
    private static final SecureRandom CHANCE = new SecureRandom();

    private final Path folder;
    private final Clock clock;
    private final ProvenKey self;

    /**
     * A certificate in the folder.
     *
     * @param name the node's name
     * @param certificate what was issued last
     * @param revoked whether no peer accepts it any longer
     */
    public record Issued(String name, X509Certificate certificate, boolean revoked) {}

    private Authority(Path folder, Clock clock, ProvenKey self) {
        this.folder = folder;
        this.clock = clock;
        this.self = self;
    }

    /** The authority in a folder; empty if there is none. */
    public static Optional<Authority> in(Path folder, Clock clock) throws NodeStartException {
        if (!Files.exists(folder.resolve(SELF + CERTIFICATE))) {
            return Optional.empty();
        }
        ProvenKey self = ProvenKey.read(folder.resolve(SELF + CERTIFICATE), keyFile(folder, SELF), clock.instant());
        return Optional.of(new Authority(folder, clock, self));
    }

    /**
     * The authority in a folder, made if there is none.
     *
     * @param cluster a name that all certificates of a new authority share, in the form of a node's
     */
    public static Authority of(Path folder, String cluster, Clock clock) throws NodeStartException, IOException {
        Optional<Authority> present = in(folder, clock);
        if (present.isPresent()) {
            return present.get();
        }
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        KeyPair keys = newKeys();
        Instant now = clock.instant();
        X500Name name = subject(cluster, "Vivarium");
        try {
            X509v3CertificateBuilder builder = unsigned(name, name, keys, now.minus(CLOCK_SKEW), now.plus(OWN_LIFE));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
            X509Certificate certificate = signed(builder, signer(keys));
            ProvenKey self = new ProvenKey(keys.getPrivate(), List.of(certificate));
            Authority authority = new Authority(folder, clock, self);
            authority.writeKey(SELF, keys);
            authority.writeRevoked(List.of());
            write(folder.resolve(SELF + CERTIFICATE), pem(certificate), "rw-r--r--");
            return authority;
        } catch (GeneralSecurityException | OperatorCreationException failed) {
            throw impossible(failed);
        }
    }

    /** The name that all certificates share. */
    public String cluster() {
        return commonName(self.own());
    }

    /** What nodes need to trust it: {@code vivarium.cluster.tls.authority}. */
    public Path certificateFile() {
        return folder.resolve(SELF + CERTIFICATE);
    }

    /** What it has revoked: {@code vivarium.cluster.tls.revoked}. */
    public Path revokedFile() {
        return folder.resolve(REVOKED);
    }

    /** A node's certificate: {@code vivarium.cluster.tls.certificate}. */
    public Path certificateFile(String name) {
        return folder.resolve(name + CERTIFICATE);
    }

    /** A node's key: {@code vivarium.cluster.tls.key}. */
    public Path keyFile(String name) {
        return keyFile(folder, name);
    }

    private static Path keyFile(Path folder, String name) {
        return folder.resolve(name + ".key");
    }

    /** Why there can be no certificate of this name; empty if there can. */
    public static Optional<String> objection(String name) {
        if (name.equals(SELF)) {
            return Optional.of("\"" + SELF + "\" is the name of the authority itself");
        }
        return NAME.matcher(name).matches()
                ? Optional.empty()
                : Optional.of("a name is 1 to 63 letters, digits, dots, underscores or dashes");
    }

    /**
     * Issues a certificate with a new key, and replaces the node's files. The one before holds until it ends or is revoked.
     *
     * @param name the node's name
     * @param hosts further names and addresses
     * @param life how long it holds; not beyond the authority's own end
     */
    public X509Certificate issue(String name, Collection<String> hosts, Duration life) throws IOException {
        objection(name).ifPresent(sentence -> {
            throw new IllegalArgumentException(sentence);
        });
        KeyPair keys = newKeys();
        Instant now = clock.instant();
        Instant end = now.plus(life).isAfter(self.expiresAt()) ? self.expiresAt() : now.plus(life);
        Set<String> names = new LinkedHashSet<>(List.of(name, cluster()));
        names.addAll(hosts);
        try {
            X509v3CertificateBuilder builder =
                    unsigned(issuer(), subject(name, "Vivarium"), keys, now.minus(CLOCK_SKEW), end);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
            }));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(self.own()));
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(names.stream().map(Authority::generalName).toArray(GeneralName[]::new)));
            X509Certificate certificate = signed(builder, signer());
            writeKey(name, keys);
            write(certificateFile(name), pem(certificate), "rw-r--r--");
            return certificate;
        } catch (GeneralSecurityException | OperatorCreationException failed) {
            throw impossible(failed);
        }
    }

    private static GeneralName generalName(String name) {
        return new GeneralName(ADDRESS.matcher(name).matches() ? GeneralName.iPAddress : GeneralName.dNSName, name);
    }

    /** Issues this certificate again, for the same names and as long a time. */
    public X509Certificate renew(Issued issued) throws IOException {
        X509Certificate before = issued.certificate();
        return issue(issued.name(), names(before), life(before).minus(CLOCK_SKEW));
    }

    /** Whether a certificate should be renewed now: a third of its life is left, or it is revoked. */
    public boolean isDue(Issued issued) {
        X509Certificate certificate = issued.certificate();
        Duration left =
                Duration.between(clock.instant(), certificate.getNotAfter().toInstant());
        return issued.revoked() || left.compareTo(life(certificate).dividedBy(RENEWAL_SHARE)) < 0;
    }

    private static Duration life(X509Certificate certificate) {
        return Duration.between(
                certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant());
    }

    private static List<String> names(X509Certificate certificate) {
        try {
            List<String> names = new ArrayList<>();
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            if (all != null) {
                for (List<?> name : all) {
                    if (name.get(0).equals(DNS_NAME) || name.get(0).equals(IP_ADDRESS)) {
                        names.add(name.get(1).toString());
                    }
                }
            }
            return names;
        } catch (CertificateParsingException unreadable) {
            return List.of();
        }
    }

    /** The certificates in the folder, by name. */
    public List<Issued> issued() throws NodeStartException, IOException {
        List<String> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(CERTIFICATE))
                    .map(file -> file.substring(0, file.length() - CERTIFICATE.length()))
                    .filter(name -> !name.equals(SELF))
                    .sorted()
                    .toList();
        }
        List<Issued> issued = new ArrayList<>();
        for (String name : names) {
            issued.add(read(name));
        }
        return issued;
    }

    /** The certificate of a node; empty if there is none. */
    public Optional<Issued> issued(String name) throws NodeStartException {
        return Files.exists(certificateFile(name)) ? Optional.of(read(name)) : Optional.empty();
    }

    private Issued read(String name) throws NodeStartException {
        X509Certificate certificate =
                PemFiles.certificates(certificateFile(name)).get(0);
        return new Issued(name, certificate, revocations().isRevoked(certificate));
    }

    private X509CRL revocations() throws NodeStartException {
        return PemFiles.revocations(revokedFile()).get(0);
    }

    /** Revokes a certificate: nodes that have read the list refuse it. For good, and safe to repeat. */
    public void revoke(BigInteger serial) throws NodeStartException, IOException {
        Set<? extends X509CRLEntry> before = revocations().getRevokedCertificates();
        List<BigInteger> serials = new ArrayList<>();
        if (before != null) {
            before.forEach(entry -> serials.add(entry.getSerialNumber()));
        }
        if (!serials.contains(serial)) {
            serials.add(serial);
            writeRevoked(serials);
        }
    }

    private void writeRevoked(List<BigInteger> serials) throws IOException {
        Date now = Date.from(clock.instant());
        X509v2CRLBuilder builder = new X509v2CRLBuilder(issuer(), now);
        // Nodes look at the file again and again, and at no date in it.
        builder.setNextUpdate(self.own().getNotAfter());
        serials.forEach(serial -> builder.addCRLEntry(serial, now, CRLReason.unspecified));
        try {
            X509CRLHolder list = builder.build(signer());
            write(revokedFile(), pem(new PemObject("X509 CRL", list.getEncoded())), "rw-r--r--");
        } catch (OperatorCreationException failed) {
            throw impossible(failed);
        }
    }

    private X500Name issuer() {
        return X500Name.getInstance(self.own().getSubjectX500Principal().getEncoded());
    }

    private ContentSigner signer() throws OperatorCreationException {
        return new JcaContentSignerBuilder(SIGNATURE).build(self.key());
    }

    private static ContentSigner signer(KeyPair keys) throws OperatorCreationException {
        return new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate());
    }

    private static X500Name subject(String name, String organization) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, organization)
                .addRDN(BCStyle.CN, name)
                .build();
    }

    private static String commonName(X509Certificate certificate) {
        X500Name subject =
                X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
        return IETFUtils.valueToString(subject.getRDNs(BCStyle.CN)[0].getFirst().getValue());
    }

    private static X509v3CertificateBuilder unsigned(
            X500Name issuer, X500Name subject, KeyPair keys, Instant begin, Instant end) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(SERIAL_BITS, CHANCE).setBit(SERIAL_BITS - 1),
                Date.from(begin),
                Date.from(end),
                subject,
                keys.getPublic());
    }

    private static X509Certificate signed(X509v3CertificateBuilder builder, ContentSigner signer)
            throws GeneralSecurityException {
        return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
    }

    private static KeyPair newKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException missing) {
            throw impossible(missing);
        }
    }

    private static IllegalStateException impossible(Exception failed) {
        return new IllegalStateException("Every JDK has the curve P-256.", failed);
    }

    private void writeKey(String name, KeyPair keys) throws IOException {
        write(keyFile(name), pem(new PemObject("PRIVATE KEY", keys.getPrivate().getEncoded())), "rw-------");
    }

    private static String pem(Object part) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
            pem.writeObject(part);
        }
        return text.toString();
    }

    /** Has these permissions from its first byte on. */
    private static void write(Path file, String text, String permissions) throws IOException {
        FileAttribute<?> mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(draft);
        try (FileChannel channel =
                FileChannel.open(draft, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
