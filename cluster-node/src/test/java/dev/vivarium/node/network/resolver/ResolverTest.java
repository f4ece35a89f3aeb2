package dev.vivarium.node.network.resolver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.RecordedLedger;
import dev.vivarium.node.network.Sandboxes;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The resolver with real sockets: sandboxes are addresses on loopback, and so is the node's own resolver. */
@Timeout(60)
class ResolverTest {
    private static final Inet4Address EGRESS = (Inet4Address) InetAddresses.forString("127.0.0.53");
    private static final int TXT = DnsRecordType.TXT.intValue();

    private final RecordedLedger ledger = new RecordedLedger();
    private final Sandboxes sandboxes = new Sandboxes();
    private final InetAddress open = sandboxes.onTheInternet("127.0.0.2");
    private final InetAddress listing =
            sandboxes.listing("127.0.0.3", "api.example.com", "*.example.org:8443", "203.0.113.0/24");
    private final InetAddress other = sandboxes.onTheInternet("127.0.0.4");
    private final FakeUpstream upstream = new FakeUpstream();
    private Instant now = Instant.parse("2026-01-01T12:00:00Z");
    private Resolver names;

    @BeforeEach
    void start() throws IOException {
        start("");
    }

    private void start(String settings) throws IOException {
        if (names != null) {
            names.close();
        }
        names = Resolver.start(
                settings(settings),
                EGRESS,
                BlockedAddresses.of(BlockedRanges.standard()),
                sandboxes,
                ledger,
                (InstantSource) () -> now);
    }

    private ResolverSettings settings(String more) {
        Config config = ConfigFactory.parseString(more + "\n port = 0, upstream = [\"127.0.0.1:"
                        + upstream.address().getPort() + "\"], upstream-timeout = 500ms")
                .withFallback(ConfigFactory.parseResources("egress.conf").getConfig("names"));
        return ResolverSettings.from(config);
    }

    @AfterEach
    void stop() {
        names.close();
        upstream.close();
    }

    @Test
    void aPublicNameIsAnsweredWithWhatTheNodesResolverSays() throws IOException {
        upstream.has("www.example.com", "1.2.3.4", "1.2.3.5");

        try (DnsClient client = client(open)) {
            DnsClient.Answer answer = client.ask("WWW.example.COM");

            assertThat(answer.code()).isEqualTo(DnsResponseCode.NOERROR);
            assertThat(answer.name()).isEqualTo("WWW.example.COM.");
            assertThat(answer.addresses()).containsExactly("1.2.3.4", "1.2.3.5");
            assertThat(answer.ttlSeconds()).isEqualTo(60);
            assertThat(answer.bytes()).isLessThanOrEqualTo(512);
        }
        assertThat(upstream.asked()).containsExactly("www.example.com.");
        assertThat(ledger.lines()).isEmpty();
    }

    @Test
    void aliasesAreFollowedWithinTheAnswerAndNotPassedOn() throws IOException {
        upstream.answers("www.example.com", (question, response) -> {
            response.addRecord(DnsSection.ANSWER, FakeUpstream.alias("www.example.com", "edge.example.net"));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.alias("edge.example.net", "a.example.net"));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.address("a.example.net", "1.2.3.4"));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.address("evil.example.net", "6.6.6.6"));
        });

        try (DnsClient client = client(open)) {
            assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
        }
    }

    @Test
    void cyclicAliasesHaveNoAddress() throws IOException {
        upstream.answers("a.example.com", (question, response) -> {
            response.addRecord(DnsSection.ANSWER, FakeUpstream.alias("a.example.com", "b.example.com"));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.alias("b.example.com", "a.example.com"));
        });

        try (DnsClient client = client(open)) {
            DnsClient.Answer answer = client.ask("a.example.com");
            assertThat(answer.code()).isEqualTo(DnsResponseCode.NOERROR);
            assertThat(answer.addresses()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.77.10", "100.64.0.1", "0.0.0.0", "224.0.0.1"
            })
    void anAnswerWithAnInternalAddressIsDroppedAndReported(String inside) throws IOException {
        upstream.has("rebind.evil.com", inside);

        try (DnsClient client = client(open)) {
            DnsClient.Answer answer = client.ask("rebind.evil.com");
            assertThat(answer.code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            assertThat(answer.addresses()).isEmpty();
        }
        assertThat(ledger.lines()).containsExactly("denied rebind.evil.com:53 INTERNAL_ADDRESS");
    }

    @Test
    void internalAddressesAreRemovedFromMixedAnswers() throws IOException {
        upstream.has("rebind.evil.com", "169.254.169.254", "1.2.3.4", "10.0.0.1");

        try (DnsClient client = client(open)) {
            assertThat(client.ask("rebind.evil.com").addresses()).containsExactly("1.2.3.4");
        }
        assertThat(ledger.lines()).containsExactly("denied rebind.evil.com:53 INTERNAL_ADDRESS");
    }

    @Test
    void anAliasOfAnInternalNameIsDroppedWhateverItIsCalled() throws IOException {
        upstream.answers("cname.evil.com", (question, response) -> {
            response.addRecord(DnsSection.ANSWER, FakeUpstream.alias("cname.evil.com", "metadata.google.internal"));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.address("metadata.google.internal", "169.254.169.254"));
        });

        try (DnsClient client = client(open)) {
            assertThat(client.ask("cname.evil.com").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
        }
    }

    @Test
    void aListedNameIsAnsweredWithTheGatewayWithoutAskingUpstream() throws IOException {
        try (DnsClient client = client(listing)) {
            for (String name : List.of("api.example.com", "Deep.A.example.org.")) {
                DnsClient.Answer answer = client.ask(name);
                assertThat(answer.addresses()).containsExactly("127.0.0.53");
                assertThat(answer.ttlSeconds()).isEqualTo(5);
            }
            assertThat(client.ask("api.example.com", DnsRecordType.AAAA.intValue())
                            .code())
                    .isEqualTo(DnsResponseCode.NOERROR);
        }
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"example.org", "example.com", "x.api.example.com", "evilexample.org", "data.tunnel.evil.com"})
    void anUnlistedNameIsRefusedWithoutAskingUpstream(String name) throws IOException {
        upstream.has(name, "1.2.3.4");

        try (DnsClient client = client(listing)) {
            assertThat(client.ask(name).code()).isEqualTo(DnsResponseCode.REFUSED);
            assertThat(client.ask(name, TXT).code()).isEqualTo(DnsResponseCode.REFUSED);
        }
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines())
                .containsExactly("denied " + name + ":53 NOT_LISTED", "denied " + name + ":53 NOT_LISTED");
    }

    @ParameterizedTest
    @ValueSource(ints = {28, 65, 64, 16, 15, 33, 5, 12, 2, 6})
    void ordinaryQuestionsOtherThanForAddressesAreAnsweredAsEmpty(int type) throws IOException {
        upstream.has("www.example.com", "1.2.3.4");

        try (DnsClient client = client(open)) {
            DnsClient.Answer answer = client.ask("www.example.com", type);
            assertThat(answer.code()).isEqualTo(DnsResponseCode.NOERROR);
            assertThat(answer.addresses()).isEmpty();
        }
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 255, 252, 251, 99, 0, 65280})
    void typesThatTunnelsAndScannersAskForAreRefused(int type) throws IOException {
        try (DnsClient client = client(open)) {
            assertThat(client.ask("www.example.com", type).code()).isEqualTo(DnsResponseCode.REFUSED);
        }
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines()).containsExactly("denied www.example.com:53 NOT_LISTED");
    }

    @Test
    void classesBesideTheInternetAreRefused() throws IOException {
        try (DnsClient client = client(open)) {
            assertThat(client.exchange(DnsClient.question(7, "version.bind", TXT, 3))
                            .code())
                    .isEqualTo(DnsResponseCode.REFUSED);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "db",
                "printer.local",
                "metadata.google.internal",
                "vault.corp",
                "x.lan",
                "hidden.onion",
                "1.0.0.10.in-addr.arpa",
                "a.test",
                "router.home.arpa"
            })
    void namesThatAreNotOfTheInternetNeverGoUpstream(String name) throws IOException {
        upstream.has(name, "1.2.3.4");

        try (DnsClient client = client(open)) {
            assertThat(client.ask(name).code()).isEqualTo(DnsResponseCode.NXDOMAIN);
        }
        assertThat(upstream.asked()).isEmpty();
    }

    @Test
    void onlySandboxesAreAnswered() throws IOException {
        upstream.has("www.example.com", "1.2.3.4");

        try (DnsClient stranger = client(InetAddresses.forString("127.0.0.99"));
                DnsClient client = client(open)) {
            stranger.send(DnsClient.question(1, "www.example.com", 1, 1));
            // the packets of both wait in one queue, so when the second is answered the first has been dropped
            assertThat(client.ask("www.example.com").addresses()).isNotEmpty();
            assertThat(stranger.hasAnswer()).isFalse();
        }
        try (Socket socket =
                new Socket(EGRESS, names.tcpAddress().getPort(), InetAddresses.forString("127.0.0.99"), 0)) {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(upstream.asked()).hasSize(1);
    }

    @Test
    void manyNamesBelowOneDomainAreRefusedAndThoseOfOthersAreNot() throws IOException {
        start("names-per-domain-max = 5");
        try (DnsClient client = client(open);
                DnsClient neighbour = client(other)) {
            for (int i = 0; i < 5; i++) {
                assertThat(client.ask("chunk" + i + ".x.evil.co.uk").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            }
            assertThat(client.ask("chunk5.y.evil.co.uk").code()).isEqualTo(DnsResponseCode.REFUSED);
            assertThat(client.ask("CHUNK4.x.evil.co.uk").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            assertThat(client.ask("www.fine.co.uk").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            assertThat(neighbour.ask("chunk5.y.evil.co.uk").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            now = now.plus(Duration.ofHours(1));
            assertThat(client.ask("chunk5.y.evil.co.uk").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
        }
        assertThat(ledger.lines()).containsExactly("denied chunk5.y.evil.co.uk:53 TOO_MANY");
    }

    @Test
    void manyDomainsAreRefusedToo() throws IOException {
        start("names-max = 5");
        try (DnsClient client = client(open)) {
            for (int i = 0; i < 5; i++) {
                assertThat(client.ask("evil" + i + ".com").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            }
            assertThat(client.ask("evil5.com").code()).isEqualTo(DnsResponseCode.REFUSED);
        }
    }

    @Test
    void manyQuestionsInAMinuteAreRefusedUntilTheNext() throws IOException {
        start("questions-per-minute-max = 3");
        try (DnsClient client = client(listing)) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.ask("api.example.com").addresses()).isNotEmpty();
            }
            assertThat(client.ask("api.example.com").code()).isEqualTo(DnsResponseCode.REFUSED);
            now = now.plus(Duration.ofMinutes(1));
            assertThat(client.ask("api.example.com").addresses()).isNotEmpty();
        }
        assertThat(ledger.lines()).containsExactly("denied api.example.com:53 TOO_MANY");
    }

    @Test
    void dataConveyedToOneDomainByQueriesIsLimited() throws IOException {
        start("letters-per-domain-max = 100, kept-min = 0s");
        upstream.has("a.evil.com", "1.2.3.4").has("b.evil.com", "1.2.3.4");
        try (DnsClient client = client(open)) {
            assertThat(client.ask("x".repeat(60) + ".evil.com").code()).isEqualTo(DnsResponseCode.NXDOMAIN);
            assertThat(client.ask("x".repeat(59) + ".evil.com").code()).isEqualTo(DnsResponseCode.REFUSED);
            // Which of two known names is asked for tells something too.
            int choices = 0;
            while (client.ask(choices % 2 == 0 ? "a.evil.com" : "b.evil.com")
                    .code()
                    .equals(DnsResponseCode.NOERROR)) {
                choices++;
                now = now.plus(Duration.ofMinutes(1));
            }
            assertThat(choices).isBetween(10, 25);
        }
    }

    @Test
    void answersAreCachedForEachSandboxSeparately() throws IOException {
        upstream.has("www.example.com", "1.2.3.4");
        try (DnsClient client = client(open);
                DnsClient neighbour = client(other)) {
            for (int i = 0; i < 5; i++) {
                assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
            }
            assertThat(upstream.asked()).hasSize(1);
            assertThat(neighbour.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
            assertThat(upstream.asked()).hasSize(2);
            now = now.plus(Duration.ofMinutes(2));
            assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
            assertThat(upstream.asked()).hasSize(3);
        }
    }

    @Test
    void aSandboxThatAsksALotLeavesLookUpsForOthers() throws IOException {
        start("lookups-max = 4, questions-max = 32");
        upstream.answers("slow.evil.com", (question, response) -> response.setCode(FakeUpstream.SILENCE));
        upstream.has("www.example.com", "1.2.3.4");
        try (DnsClient client = client(open);
                DnsClient neighbour = client(other)) {
            for (int id = 1; id <= 3; id++) {
                client.send(DnsClient.question(id, "slow.evil.com", 1, 1));
            }
            assertThat(client.receive().code()).isEqualTo(DnsResponseCode.REFUSED);
            assertThat(neighbour.ask("www.example.com").addresses()).isNotEmpty();
        }
    }

    @Test
    void longNamesAndLabelsNeverGoUpstream() throws IOException {
        try (DnsClient client = client(open)) {
            assertThat(client.ask("a".repeat(61) + ".evil.com").code()).isEqualTo(DnsResponseCode.REFUSED);
            assertThat(client.ask("a".repeat(50) + "." + "b".repeat(50) + "." + "c".repeat(50) + ".evil.com")
                            .code())
                    .isEqualTo(DnsResponseCode.REFUSED);
        }
        assertThat(upstream.asked()).isEmpty();
        assertThat(ledger.lines()).hasSize(2).allMatch(line -> line.endsWith("TOO_MANY"));
    }

    @Test
    void concurrentQueriesBeyondASandboxesLimitAreRefusedWhileOthersAreAnswered() throws IOException {
        start("questions-max = 2");
        upstream.answers("slow.evil.com", (question, response) -> response.setCode(FakeUpstream.SILENCE));
        upstream.has("www.example.com", "1.2.3.4");

        try (DnsClient client = client(open);
                DnsClient neighbour = client(other)) {
            client.send(DnsClient.question(1, "slow.evil.com", 1, 1));
            client.send(DnsClient.question(2, "slow.evil.com", 1, 1));
            assertThat(client.exchange(DnsClient.question(3, "slow.evil.com", 1, 1))
                            .code())
                    .isEqualTo(DnsResponseCode.REFUSED);
            assertThat(neighbour.ask("www.example.com").addresses()).isNotEmpty();
        }
    }

    @Test
    void aSilentUpstreamIsAnsweredAsAFailure() throws IOException {
        upstream.answers("slow.example.com", (question, response) -> response.setCode(FakeUpstream.SILENCE));

        try (DnsClient client = client(open)) {
            assertThat(client.ask("slow.example.com").code()).isEqualTo(DnsResponseCode.SERVFAIL);
        }
        assertThat(upstream.asked()).hasSize(2);
        assertThat(ledger.lines()).containsExactly("denied slow.example.com:53 UNREACHABLE");
    }

    @Test
    void eachQuestionGoesUpstreamFromAPortAndWithAnIdThatCannotBeKnown() throws IOException {
        try (DnsClient client = client(open)) {
            for (int i = 0; i < 20; i++) {
                client.ask("n" + i + ".example.com");
            }
        }
        assertThat(new HashSet<>(upstream.askers())).hasSizeGreaterThan(15);
        assertThat(new HashSet<>(upstream.ids())).hasSizeGreaterThan(15);
    }

    @Test
    void aTruncatedAnswerIsAskedForAgainOverTcpAndShortened() throws IOException {
        upstream.answers("big.example.com", (question, response) -> {
            response.setTruncated(true);
            for (int i = 0; i < 40; i++) {
                response.addRecord(DnsSection.ANSWER, FakeUpstream.address("big.example.com", "1.2.3." + i));
            }
        });

        try (DnsClient client = client(open)) {
            DnsClient.Answer answer = client.ask("big.example.com");
            assertThat(answer.addresses()).hasSize(Lookups.ADDRESSES_MAX);
            assertThat(answer.bytes()).isLessThanOrEqualTo(512);
        }
        assertThat(upstream.asked()).hasSize(2);
    }

    @Test
    void upstreamAnswersWithAnotherQuestionOrReferralsAreNotFollowed() throws IOException {
        upstream.answers("ref.example.com", (question, response) -> {
            response.addRecord(DnsSection.AUTHORITY, FakeUpstream.alias("example.com", "ns.example.com"));
            response.addRecord(DnsSection.ADDITIONAL, FakeUpstream.address("ns.example.com", "127.0.0.1"));
        });
        upstream.answers("other.example.com", (question, response) -> {
            response.clear(DnsSection.QUESTION);
            response.addRecord(DnsSection.QUESTION, new DefaultDnsQuestion("evil.com.", DnsRecordType.A));
            response.addRecord(DnsSection.ANSWER, FakeUpstream.address("other.example.com", "6.6.6.6"));
        });

        try (DnsClient client = client(open)) {
            assertThat(client.ask("ref.example.com").addresses()).isEmpty();
            assertThat(client.ask("other.example.com").code()).isEqualTo(DnsResponseCode.SERVFAIL);
        }
    }

    @Test
    void questionsOverTcpAreAnsweredOneAfterTheOther() throws IOException {
        upstream.has("www.example.com", "1.2.3.4");
        try (Socket socket = new Socket(EGRESS, names.tcpAddress().getPort(), open, 0)) {
            for (int id = 1; id <= 3; id++) {
                DnsClient.sendFramed(socket, DnsClient.question(id, "www.example.com", 1, 1));
                DnsClient.Answer answer = DnsClient.receiveFramed(socket);
                assertThat(answer.id()).isEqualTo(id);
                assertThat(answer.addresses()).containsExactly("1.2.3.4");
            }
        }
    }

    @Test
    void connectionsAreFewAndEndWhenTheyAreSilentOrSpeakSomethingElse() throws IOException {
        start("connections-max = 2, connection-idle = 300ms");
        int port = names.tcpAddress().getPort();
        try (Socket first = new Socket(EGRESS, port, open, 0);
                Socket second = new Socket(EGRESS, port, open, 0);
                Socket third = new Socket(EGRESS, port, open, 0)) {
            assertThat(third.getInputStream().read()).isEqualTo(-1);
            assertThat(first.getInputStream().read()).isEqualTo(-1);
            assertThat(second.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(ledger.lines()).containsExactly("denied connections to the resolver:53 TOO_MANY");
        await().untilAsserted(() -> {
            try (Socket again = new Socket(EGRESS, port, open, 0)) {
                again.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(new DataInputStream(again.getInputStream()).read()).isEqualTo(-1);
            }
            assertThat(ledger.lines()).contains("denied what is not a DNS question:53 MALFORMED");
        });
    }

    @Test
    void noDatagramStopsTheResolver() throws IOException {
        start("questions-per-minute-max = 1000000, names-per-domain-max = 100000, names-max = 100000");
        upstream.has("www.example.com", "1.2.3.4");
        Random random = new Random(20261125);
        try (DnsClient hostile = client(open);
                DnsClient client = client(other)) {
            for (int i = 0; i < 5000; i++) {
                hostile.send(mutated(random));
                // Often enough that the kernel's queue of the socket, which would drop the neighbour's too, is never
                // full.
                if (i % 50 == 0) {
                    assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
                }
            }
            assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
        }
        for (int i = 0; i < 200; i++) {
            try (Socket socket = new Socket(EGRESS, names.tcpAddress().getPort(), listing, 0)) {
                DnsClient.sendFramed(socket, mutated(random));
            } catch (IOException closedEarly) {
                // which is an answer
            }
        }
        try (DnsClient client = client(other)) {
            assertThat(client.ask("www.example.com").addresses()).containsExactly("1.2.3.4");
        }
    }

    private static byte[] mutated(Random random) {
        byte[] packet = DnsClient.question(random.nextInt(0x10000), "www.example.com", 1, 1);
        switch (random.nextInt(4)) {
            case 0 -> random.nextBytes(packet);
            case 1 -> packet = Arrays.copyOf(packet, random.nextInt(packet.length + 600));
            case 2 -> {
                // a name that points to itself, or somewhere
                packet[12] = (byte) 0xc0;
                packet[13] = (byte) random.nextInt(256);
            }
            default -> {}
        }
        for (int i = random.nextInt(6); i > 0 && packet.length > 0; i--) {
            packet[random.nextInt(packet.length)] = (byte) random.nextInt(256);
        }
        return packet;
    }

    private DnsClient client(InetAddress from) throws IOException {
        return new DnsClient(from, names.udpAddress());
    }
}
