package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.ClientCertificate;
import dev.vivarium.client.Credentials;
import dev.vivarium.client.RetryPolicy;
import dev.vivarium.client.Trust;
import dev.vivarium.node.access.CallerCertificates;
import dev.vivarium.node.access.CallerSettings;
import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.MovableClock;
import dev.vivarium.node.http.tls.ClientCertificates;
import dev.vivarium.node.http.tls.ServerTls;
import dev.vivarium.node.http.tls.TestCertificates;
import dev.vivarium.node.http.tls.TestCertificates.Caller;
import dev.vivarium.protocol.access.Role;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Callers over real TLS who prove who they are by certificates: good ones, and such as a hostile caller has. */
class CertifiedCallersTest {
    private static final String RULES =
            """
            rules = [
              { attribute = OU, value = build, role = submitter, tenant-attribute = O }
              { attribute = OU, value = watch, role = viewer, tenant = agents }
            ]
            """;

    @TempDir
    private static Path folder;

    private static MovableClock clock;
    private static TestCertificates certificates;
    private static CallerCertificates callers;
    private static TestApi api;

    @BeforeAll
    static void aNodeThatAsksForCertificates() throws Exception {
        clock = new MovableClock(Instant.now());
        certificates = new TestCertificates(folder);
        certificates.issue("localhost", "127.0.0.1");
        certificates.revoke();
        callers = CallerCertificates.of(
                CallerSettings.from(ConfigFactory.parseString("authority = \"" + certificates.authorityFile()
                                        + "\"\nrevoked = \"" + certificates.revokedFile() + "\"\n" + RULES)
                                .withFallback(Samples.SHIPPED.getConfig("http.tls.callers")))
                        .orElseThrow(),
                clock);
        ServerTls tls =
                ServerTls.of(certificates.files(), Optional.of(new ClientCertificates(callers::issuers)), clock);
        api = new TestApi("", Optional.of(tls), Optional.of(callers));
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    // ---- good ones

    @Test
    void theSubjectIsThePrincipalWithTheRoleAndTenantOfTheFirstRuleThatApplies() throws Exception {
        ApiClient client = client(certificates.caller("CN=ci.example.com,OU=build,O=agents"));

        String id = client.submit(TestApi.json(Samples.SMALL_BODY), "by-certificate")
                .path("id")
                .asText();

        JsonNode submitted = client.events(id).path("events").path(0);
        assertThat(submitted.toString()).contains("certificate:ci.example.com");
        assertThat(submitted.findValuesAsText("tenant")).isNotEmpty().containsOnly("agents");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void bothVersionsOfTlsCarryThem(String version) throws Exception {
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents");
        try (Connection connection = new Connection(caller, version)) {
            assertThat(connection.get("")).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void aRoleIsItsLimit() {
        ApiClient client = client(certificates.caller("CN=eve,OU=watch"));

        assertThatThrownBy(() -> client.submit(TestApi.json(Samples.SMALL_BODY), "not-mine"))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("The role of your certificate is viewer");
    }

    @Test
    void tokensAreTakenFromCallersWithoutACertificate() throws Exception {
        ApiClient client = new ApiClient(server(), Credentials.of(api.local), trust(), RetryPolicy.NONE);

        assertThat(client.runs(List.of()).path("runs").isArray()).isTrue();
    }

    @Test
    void aCallerWithNeitherIsNobody() throws Exception {
        assertRefused(new ApiClient(server(), Credentials.NONE, trust(), RetryPolicy.NONE), "Say who you are");
    }

    // ---- bad ones

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "OU=build,O=agents                    | must name its holder by one CN",
                "CN=a,CN=b,OU=build,O=agents          | must name its holder by one CN",
                "CN=a+CN=b,OU=build,O=agents          | must name its holder by one CN",
                "CN=\u0441\u0456,OU=build,O=agents         | must name its holder by one CN",
                "CN=two words,OU=build,O=agents       | must name its holder by one CN",
                "CN=ci                                | No rule gives ci a role here",
                "CN=ci,OU=Build,O=agents              | No rule gives ci a role here",
                "CN=ci,OU=bu\u0456ld,O=agents         | No rule gives ci a role here",
                "CN=ci,OU=build                       | must name its holder's tenant",
                "CN=ci,OU=build,O=..                  | must name its holder's tenant",
                "CN=ci,OU=build,O=Agents              | must name its holder's tenant",
                "CN=ci,OU=build,O=\u0430gents         | must name its holder's tenant",
                "CN=ci,OU=build,O=agents,O=others     | must name its holder's tenant"
            })
    void aSubjectThatSaysTooLittleOrTooMuchIsRefused(String subject, String why) throws Exception {
        assertRefused(client(certificates.caller(subject)), why);
    }

    @Test
    void aCertificateOfAForeignAuthorityOfTheSameNameIsRefused() throws Exception {
        TestCertificates foreign = new TestCertificates(Files.createTempDirectory(folder, "foreign"));

        assertRefused(
                client(foreign.caller("CN=ci,OU=build,O=agents")),
                "was not issued for clients by an authority that this node accepts");
    }

    @Test
    void aCertificateForServersIsRefused() throws Exception {
        assertRefused(
                client(certificates.caller(
                        "CN=ci,OU=build,O=agents",
                        Instant.now().plus(Duration.ofDays(1)),
                        KeyPurposeId.id_kp_serverAuth)),
                "was not issued for clients by an authority that this node accepts");
    }

    @Test
    void anExpiredCertificateIsRefused() throws Exception {
        Instant end = Instant.now().minus(Duration.ofHours(1));

        assertRefused(
                client(certificates.caller("CN=ci,OU=build,O=agents", end, KeyPurposeId.id_kp_clientAuth)),
                "has expired at ");
    }

    // ---- live connections

    @Test
    void aCertificateThatEndsOpensNothingMoreOnItsConnection() throws Exception {
        Instant end = clock.instant().plus(Duration.ofHours(1));
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents", end, KeyPurposeId.id_kp_clientAuth);
        try (Connection connection = new Connection(caller, "TLSv1.3")) {
            assertThat(connection.get("")).startsWith("HTTP/1.1 200");

            clock.pass(Duration.ofHours(1).plusSeconds(1));

            assertThat(connection.get("")).startsWith("HTTP/1.1 401").contains("has expired at ");
        }
    }

    @Test
    void aCertificateThatIsRevokedOpensNothingMoreOnItsConnection() throws Exception {
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents");
        try (Connection connection = new Connection(caller, "TLSv1.3")) {
            assertThat(connection.get("")).startsWith("HTTP/1.1 200");

            certificates.revoke(caller.issued());
            callers.refresh();

            assertThat(connection.get("")).startsWith("HTTP/1.1 401").contains("is revoked");
        }
    }

    @Test
    void aReplacedAuthorityIsJudgedByAndFilesOfNoUseChangeNothing() throws Exception {
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents");
        byte[] own = Files.readAllBytes(certificates.authorityFile());
        byte[] revoked = Files.readAllBytes(certificates.revokedFile());
        TestCertificates next = new TestCertificates(Files.createTempDirectory(folder, "next"));
        next.revoke();
        try (Connection connection = new Connection(caller, "TLSv1.3")) {
            Files.writeString(certificates.authorityFile(), "half a fi");
            callers.refresh();
            assertThat(connection.get("")).startsWith("HTTP/1.1 200");

            Files.copy(next.authorityFile(), certificates.authorityFile(), StandardCopyOption.REPLACE_EXISTING);
            callers.refresh();
            // The list of the earlier authority proves nothing of the next one's certificates.
            assertThat(connection.get("")).startsWith("HTTP/1.1 200");

            Files.copy(next.revokedFile(), certificates.revokedFile(), StandardCopyOption.REPLACE_EXISTING);
            callers.refresh();
            assertThat(connection.get("")).startsWith("HTTP/1.1 401").contains("was not issued for clients");
        } finally {
            Files.write(certificates.authorityFile(), own);
            Files.write(certificates.revokedFile(), revoked);
            callers.refresh();
        }
    }

    // ---- tokens beside certificates, and browsers

    @Test
    void aTokenBesideACertificateDecidesAlone() throws Exception {
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents");
        try (Connection connection = new Connection(caller, "TLSv1.3")) {
            assertThat(connection.get("Authorization: Bearer viv_wrong\r\n")).startsWith("HTTP/1.1 401");
            String elsewhere = api.token(Role.VIEWER, "others");
            assertThat(connection.exchange(
                            "POST /v1/runs", "Authorization: Bearer " + elsewhere + "\r\n", Samples.SMALL_BODY))
                    .startsWith("HTTP/1.1 403")
                    .contains("The role of your token is viewer");
        }
    }

    @Test
    void pagesOfOtherSitesReadNothingWithTheCertificateOfABrowser() throws Exception {
        Caller caller = certificates.caller("CN=ci,OU=build,O=agents");
        try (Connection connection = new Connection(caller, "TLSv1.3")) {
            assertThat(connection.get("Sec-Fetch-Site: cross-site\r\n")).startsWith("HTTP/1.1 403");
            assertThat(connection.get("Sec-Fetch-Site: same-origin\r\n")).startsWith("HTTP/1.1 200");
        }
    }

    private static void assertRefused(ApiClient client, String why) {
        assertThatThrownBy(() -> client.runs(List.of()))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining(why);
    }

    private static URI server() {
        return URI.create("https://localhost:" + api.port());
    }

    private static Trust trust() throws IOException {
        return Trust.in(certificates.files().certificate());
    }

    private static ApiClient client(Caller caller) {
        try {
            return new ApiClient(
                    server(),
                    Credentials.of(ClientCertificate.in(caller.certificate(), caller.key())),
                    trust(),
                    RetryPolicy.NONE);
        } catch (IOException useless) {
            throw new AssertionError(useless);
        }
    }

    /** One connection for several requests. */
    private static final class Connection implements AutoCloseable {
        private final SSLSocket socket;
        private final BufferedReader answers;

        Connection(Caller caller, String version) throws Exception {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry(
                    "node",
                    factory.generateCertificate(
                            Files.newInputStream(certificates.files().certificate())));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            String key = Files.readString(caller.key()).replaceAll("-----[A-Z ]+-----", "");
            PrivateKey secret = KeyFactory.getInstance("EC")
                    .generatePrivate(
                            new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(key)));
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            own.setKeyEntry("caller", secret, new char[0], new Certificate[] {caller.issued()});
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
            socket = (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), api.port());
            socket.setSoTimeout((int) Duration.ofSeconds(30).toMillis());
            socket.setEnabledProtocols(new String[] {version});
            answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
        }

        String get(String header) throws IOException {
            return exchange("GET /v1/runs", header, "");
        }

        String exchange(String request, String header, String body) throws IOException {
            String head = request + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length() + "\r\n" + header + "\r\n";
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
            StringBuilder answer = new StringBuilder();
            int length = 0;
            for (String line = answers.readLine(); line != null && !line.isEmpty(); line = answers.readLine()) {
                answer.append(line).append('\n');
                if (line.startsWith("Content-Length: ")) {
                    length = Integer.parseInt(line.substring("Content-Length: ".length()));
                }
            }
            for (; length > 0; length--) {
                answer.append((char) answers.read());
            }
            return answer.toString();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
