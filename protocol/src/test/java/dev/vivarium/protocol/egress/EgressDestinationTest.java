package dev.vivarium.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EgressDestinationTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            api.example.com               | api.example.com:80,443
            API.Example.COM.              | api.example.com:80,443
            api.example.com:8443,443,8443 | api.example.com:443,8443
            api.example.com:1-65535       | api.example.com:1-65535
            api.example.com:5,1-3,4,9-12,10 | api.example.com:1-5,9-12
            *.example.com                 | *.example.com:80,443
            *.Example.com.:443            | *.example.com:443
            bücher.example                | xn--bcher-kva.example:80,443
            EXAMPLE。com                   | example.com:80,443
            my_bucket.s3.example.com      | my_bucket.s3.example.com:80,443
            203.0.113.0/24                | 203.0.113.0/24:80,443
            10.1.2.0/24:5432              | 10.1.2.0/24:5432
            203.0.113.7                   | 203.0.113.7:80,443
            203.0.113.7/32:22             | 203.0.113.7:22
            0.0.0.0/0:443                 | 0.0.0.0/0:443
            """)
    void aDestinationHasOneCanonicalTextThatReadsBackEqual(String text, String canonical) {
        EgressDestination destination = EgressDestination.parse(text);

        assertThat(destination.text()).isEqualTo(canonical);
        assertThat(EgressDestination.parse(canonical)).isEqualTo(destination);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
            ""                    | must be 1 to 512 characters
            https://example.com   | must be a host and not a URL
            example.com/path      | must be an IPv4 address
            localhost             | must be a full name
            *                     | can have a wildcard only as its whole first label
            *.                    | must be a host's name
            *.com                 | is too wide
            a.*.example.com       | can have a wildcard only as its whole first label
            *a.example.com        | can have a wildcard only as its whole first label
            *.*.example.com       | must be a host's name
            .example.com          | must be a host's name
            a..example.com        | must be a host's name
            example.com..         | must be a host's name
            -a.example.com        | must be a host's name
            a-.example.com        | must be a host's name
            a b.example.com       | must be a host's name
            user@example.com      | must be a host's name
            example.com:          | must have ports after its colon
            example.com:0         | must have ports after its colon
            example.com:065       | must have ports after its colon
            example.com:65536     | not from 1 to 65535
            example.com:9-8       | not from 1 to 65535
            example.com:80,       | must have ports after its colon
            example.com:http      | must have ports after its colon
            example.com:+80       | must have ports after its colon
            example.com:80:90     | IPv6
            ::1                   | IPv6
            [2001:db8::1]:443     | IPv6
            2001:db8::/32         | IPv6
            0177.0.0.1            | must be an IPv4 address in four decimal numbers
            1.2                   | must be an IPv4 address in four decimal numbers
            2130706433            | must be an IPv4 address in four decimal numbers
            1.2.3.4.              | must be an IPv4 address in four decimal numbers
            0x7f.1                | must be a host's name
            0x7f000001            | must be a host's name
            example.0x7f          | must be a host's name
            example.127           | must be a host's name
            １２７.0.0.1           | must be a host's name
            1.2.3.256             | above 255
            10.1.2.3/24           | write 10.1.2.0/24
            10.0.0.0/33           | from 0 to 32
            10.0.0.0/             | must be an IPv4 address
            10.0.0.0/8/8          | must be an IPv4 address
            10.0.0.0/08           | must be an IPv4 address
            *.10.0.0.1            | must be a host's name
            """)
    void invalidDestinationsAreRefusedWithACorrection(String text, String sentence) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EgressDestination.parse(text))
                .withMessageContaining(sentence);
    }

    @Test
    void namesAndListsAreLimitedInLength() {
        String label = "a".repeat(63);
        String longest = label + "." + label + "." + label + "." + "a".repeat(61);

        assertThat(EgressDestination.parse(longest).text()).startsWith(longest);
        assertThatIllegalArgumentException().isThrownBy(() -> EgressDestination.parse(longest + "a"));
        assertThatIllegalArgumentException().isThrownBy(() -> EgressDestination.parse(label + "a.example.com"));
        assertThatIllegalArgumentException().isThrownBy(() -> EgressDestination.parse("a".repeat(100_000)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EgressDestination.parse("example.com:1" + ",3".repeat(32)))
                .withMessageContaining("32 ports");
        EgressDestination destination = EgressDestination.parse("example.com");
        assertThat(EgressPolicy.allowlist(Collections.nCopies(256, destination)).allow())
                .hasSize(256);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EgressPolicy.allowlist(Collections.nCopies(257, destination)))
                .withMessageContaining("at most 256");
    }

    @Test
    void aHostMatchesItsExactNameOnly() {
        EgressPolicy policy = allowlist("api.example.com:443");

        assertThat(lists(policy, name("api.example.com"))).isTrue();
        assertThat(lists(policy, name("api.example.com"), 443)).isTrue();
        assertThat(lists(policy, name("api.example.com"), 80)).isFalse();
        assertThat(lists(policy, name("example.com"))).isFalse();
        assertThat(lists(policy, name("x.api.example.com"))).isFalse();
        assertThat(lists(policy, name("xapi.example.com"))).isFalse();
    }

    @Test
    void aWildcardMatchesSubdomainsAtAnyDepthAndNotTheDomain() {
        EgressPolicy policy = allowlist("*.example.com:443");

        assertThat(lists(policy, name("a.example.com"))).isTrue();
        assertThat(lists(policy, name("a.b.c.example.com"))).isTrue();
        assertThat(lists(policy, name("example.com"))).isFalse();
        assertThat(lists(policy, name("evilexample.com"))).isFalse();
        assertThat(lists(policy, name("example.com.evil.org"))).isFalse();
    }

    @Test
    void aBlockMatchesItsAddressesAndNoNames() {
        EgressPolicy policy = allowlist("203.0.113.0/24:5432", "198.51.100.7");

        assertThat(policy.lists(Ipv4Block.parse("203.0.113.200"), 5432)).isTrue();
        assertThat(policy.lists(Ipv4Block.parse("203.0.114.0"), 5432)).isFalse();
        assertThat(policy.lists(Ipv4Block.parse("203.0.113.200"), 443)).isFalse();
        assertThat(policy.lists(Ipv4Block.parse("198.51.100.7"), 443)).isTrue();
        assertThat(policy.lists(Ipv4Block.parse("203.0.112.0/23"), 5432)).isFalse();
        assertThat(lists(policy, name("a.example.com"))).isFalse();
    }

    @Test
    void onlyAnAllowlistMatchesAnything() {
        assertThat(EgressPolicy.none().allow()).isEmpty();
        assertThat(EgressPolicy.publicInternet().mode()).isEqualTo(EgressPolicy.Mode.PUBLIC);
        assertThat(lists(new EgressPolicy(EgressPolicy.Mode.ALLOWLIST), name("example.com")))
                .isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new EgressPolicy(EgressPolicy.Mode.PUBLIC, List.of(EgressDestination.parse("example.com"))))
                .withMessageContaining("only mode allowlist");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "a..b",
                "bücher.example",
                "a\u212a.example",
                "a b",
                "a\u0000b.example",
                "1.2.3.4",
                "0x1",
                "*.a.b"
            })
    void namesFromPeersMustBeInPlainForm(String text) {
        assertThat(HostName.received(text)).isEmpty();
    }

    @Test
    void caseAndTheDotAtTheEndOfAReceivedNameDoNotMatter() {
        assertThat(HostName.received("API.example.COM.")).contains(name("api.example.com"));
    }

    private static EgressPolicy allowlist(String... destinations) {
        return EgressPolicy.allowlist(
                List.of(destinations).stream().map(EgressDestination::parse).toList());
    }

    private static boolean lists(EgressPolicy policy, HostName name) {
        return !policy.covering(name).isEmpty();
    }

    private static boolean lists(EgressPolicy policy, HostName name, int port) {
        return policy.covering(name).stream()
                .anyMatch(destination -> destination.ports().contains(port));
    }

    private static HostName name(String text) {
        return HostName.parse(text);
    }
}
