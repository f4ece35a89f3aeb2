package dev.vivarium.node.certificates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An authority's certificates are usable, are due in time, and their keys are nobody else's. */
class AuthorityTest {
    private static final Instant NOW = Instant.parse("2027-03-01T00:00:00Z");

    @TempDir
    private Path folder;

    private Authority authority;

    @BeforeEach
    void anAuthority() throws NodeStartException, IOException {
        authority = at(NOW);
    }

    @Test
    void keysAreReadableByTheirOwnerOnly() throws Exception {
        authority.issue("node-1", List.of(), Authority.LIFE);

        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.resolve("authority.key"))).isEqualTo("rw-------");
        assertThat(mode(authority.keyFile("node-1"))).isEqualTo("rw-------");
    }

    @Test
    void aCertificateIsForServersAndClientsOfTheClusterAndForTheNamesOfItsNode() throws Exception {
        X509Certificate issued = authority.issue("node-1", List.of("10.0.0.5", "node-1.example.com"), Authority.LIFE);

        assertThat(issued.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        assertThat(issued.getBasicConstraints()).isEqualTo(-1);
        assertThat(issued.getSubjectAlternativeNames())
                .extracting(name -> name.get(1).toString())
                .containsExactly("node-1", "agents", "10.0.0.5", "node-1.example.com");
        assertThat(((ECPublicKey) issued.getPublicKey()).getParams().getOrder().bitLength())
                .isEqualTo(256);
        issued.verify(PemFiles.certificates(authority.certificateFile()).get(0).getPublicKey());
        assertThat(ProvenKey.read(authority.certificateFile("node-1"), authority.keyFile("node-1"), NOW)
                        .expiresAt())
                .isEqualTo(NOW.plus(Authority.LIFE));
    }

    @Test
    void aCertificateIsDueInItsLastThird() throws Exception {
        authority.issue("node-1", List.of(), Duration.ofDays(90));

        assertThat(isDue(NOW.plus(Duration.ofDays(59)))).isFalse();
        assertThat(isDue(NOW.plus(Duration.ofDays(61)))).isTrue();
    }

    @Test
    void aRenewedCertificateHasTheSameNamesAndLifeAndAnotherKey() throws Exception {
        X509Certificate before = authority.issue("node-1", List.of("10.0.0.5"), Duration.ofDays(90));

        Authority later = at(NOW.plus(Duration.ofDays(70)));
        X509Certificate renewed = later.renew(later.issued("node-1").orElseThrow());

        assertThat(renewed.getSubjectAlternativeNames()).containsExactlyElementsOf(before.getSubjectAlternativeNames());
        assertThat(renewed.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(160)));
        assertThat(renewed.getPublicKey()).isNotEqualTo(before.getPublicKey());
        assertThat(renewed.getSerialNumber()).isNotEqualTo(before.getSerialNumber());
    }

    @Test
    void noCertificateOutlivesItsAuthority() throws Exception {
        Authority late = at(NOW.plus(Duration.ofDays(3_600)));

        assertThat(late.issue("node-1", List.of(), Authority.LIFE).getNotAfter().toInstant())
                .isEqualTo(NOW.plus(Duration.ofDays(3_650)));
    }

    @Test
    void whatIsRevokedStaysRevokedAndIsDue() throws Exception {
        X509Certificate first = authority.issue("node-1", List.of(), Authority.LIFE);
        authority.revoke(first.getSerialNumber());
        authority.issue("node-2", List.of(), Authority.LIFE);
        authority.revoke(authority.issued("node-2").orElseThrow().certificate().getSerialNumber());
        authority.revoke(first.getSerialNumber());

        assertThat(authority.issued()).allMatch(Authority.Issued::revoked).allMatch(authority::isDue);
        assertThat(PemFiles.revocations(authority.revokedFile()).get(0).getRevokedCertificates())
                .hasSize(2);

        authority.renew(authority.issued("node-1").orElseThrow());

        assertThat(authority.issued("node-1").orElseThrow().revoked()).isFalse();
    }

    @Test
    void anAuthorityIsMadeOnceAndKeepsItsName() throws Exception {
        byte[] before = Files.readAllBytes(authority.certificateFile());

        assertThat(Authority.of(folder, "another", clock(NOW)).cluster()).isEqualTo("agents");
        assertThat(authority.certificateFile()).hasBinaryContent(before);
    }

    @Test
    void noNameLeadsOutOfTheFolderOrReplacesTheAuthority() {
        for (String name : List.of("../node", "authority", "", "a/b", ".node")) {
            assertThatThrownBy(() -> authority.issue(name, List.of(), Authority.LIFE))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private boolean isDue(Instant at) throws NodeStartException, IOException {
        Authority then = at(at);
        return then.isDue(then.issued("node-1").orElseThrow());
    }

    private Authority at(Instant now) throws NodeStartException, IOException {
        return Authority.of(folder, "agents", clock(now));
    }

    private static Clock clock(Instant now) {
        return Clock.fixed(now, ZoneOffset.UTC);
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
