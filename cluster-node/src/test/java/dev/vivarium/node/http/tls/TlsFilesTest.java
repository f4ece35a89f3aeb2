package dev.vivarium.node.http.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that clients could not use keep a node from starting, and the operator is told why. */
class TlsFilesTest {
    private final Instant now = Instant.now();

    @TempDir
    private Path folder;

    private TestCertificates certificates;

    @BeforeEach
    void anAuthority() {
        certificates = new TestCertificates(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA", "Ed25519"})
    void everyUsualKindOfKeyIsRead(String algorithm) throws NodeStartException {
        certificates.issue(algorithm, now.plus(Duration.ofDays(1)), "node.example.com", "192.0.2.7");

        assertThat(certificates.files().read(now, Optional.empty()).names())
                .containsExactlyInAnyOrder("node.example.com", "192.0.2.7");
    }

    @Test
    void aCertificateOutOfItsTimeIsRefused() {
        certificates.issue("EC", now.minusSeconds(1), "localhost");

        refused("until", "which is not now");
    }

    @Test
    void theKeyOfAnotherCertificateIsRefused() throws IOException {
        certificates.issue("localhost");
        Path key = Files.copy(certificates.files().key(), folder.resolve("another.key"));
        certificates.issue("localhost");
        Files.copy(key, certificates.files().key(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);

        refused("is not the key of the first certificate");
    }

    @Test
    void aCertificateWithoutNamesIsRefused() {
        certificates.issue();

        refused("names no host and no address");
    }

    @Test
    void aChainInTheWrongOrderIsRefused() throws IOException {
        certificates.issue("localhost");
        String authority = Files.readString(certificates.authorityFile());
        Files.writeString(
                certificates.files().certificate(),
                authority + Files.readString(certificates.files().certificate()));

        refused("certificate 1 was not issued by certificate 2");
    }

    @Test
    void aKeyBehindAPasswordIsRefused() throws IOException {
        certificates.issue("localhost");
        Files.writeString(
                certificates.files().key(),
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAsEADAHAgEBAgEBBAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");

        assertThatThrownBy(() -> certificates.files().read(now, Optional.empty()))
                .isInstanceOf(NodeStartException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"})
    void whatIsNoKeyIsRefusedAndNotQuoted(String text) throws IOException {
        certificates.issue("localhost");
        Files.writeString(certificates.files().key(), text);

        refused("must contain the private key of the certificate in PEM");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
    void whatIsNoCertificateIsRefused(String text) throws IOException {
        certificates.issue("localhost");
        Files.writeString(certificates.files().certificate(), text);

        refused("must contain X.509 certificates in PEM");
    }

    @Test
    void aCertificateWithoutAKeyIsRefused() {
        assertThatThrownBy(() -> TlsFiles.from(ConfigFactory.parseString("certificate = node.crt, key = \"\"")))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("a certificate and no key");
    }

    private void refused(String... sentence) {
        assertThatThrownBy(() -> certificates.files().read(now, Optional.empty()))
                .isInstanceOf(NodeStartException.class)
                .message()
                .contains(sentence);
    }
}
