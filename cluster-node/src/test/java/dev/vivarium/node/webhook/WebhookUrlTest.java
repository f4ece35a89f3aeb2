package dev.vivarium.node.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a webhook's URL may be, and where it may lead. */
class WebhookUrlTest {
    private static final Config SHIPPED =
            ConfigFactory.parseResources("reference.conf").getConfig("vivarium");

    @ParameterizedTest
    @CsvSource({
        "https://hooks.example.com/a/b?c=d, https, hooks.example.com, 443, /a/b?c=d",
        "http://Hooks.Example.COM, http, hooks.example.com, 80, /",
        "https://hooks.example.com:8443?x=1, https, hooks.example.com, 8443, /?x=1",
        "https://xn--exmple-cua.com./a%20b, https, xn--exmple-cua.com, 443, /a%20b",
        "http://8.8.8.8:65535/, http, 8.8.8.8, 65535, /",
        "https://[2600::1]:1024/x, https, 2600::1, 1024, /x"
    })
    void aUrlIsTakenApart(String text, String scheme, String host, int port, String target) {
        WebhookUrl url = WebhookUrl.parse(text);

        assertThat(url.scheme().name()).isEqualToIgnoringCase(scheme);
        assertThat(url.host()).isEqualTo(host);
        assertThat(url.port()).isEqualTo(port);
        assertThat(url.target()).isEqualTo(target);
    }

    static Stream<String> whatIsNoUrl() {
        return Stream.of(
                "",
                "hooks.example.com",
                "HTTPS://hooks.example.com",
                "ftp://hooks.example.com",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "http:/hooks.example.com",
                "http:///path",
                "https://user@hooks.example.com/",
                "https://user:pass@hooks.example.com/",
                "https://hooks.example.com@10.0.0.1/",
                "https://hooks.example.com/#fragment",
                "https://hooks.example.com/\r\nHost: inside",
                "https://hooks.example.com/a b",
                "https://hooks.example.com\\@10.0.0.1/",
                "https://hooks.example.com/%zz",
                "https://hooks.example.com:0/",
                "https://hooks.example.com:22/",
                "https://hooks.example.com:1023/",
                "https://hooks.example.com:65536/",
                "https://hooks.example.com:080/",
                "https://hooks.example.com:/",
                "https://hooks.ex\u00e4mple.com/",
                "https://hooks.e\u0445ample.com/",
                "https://\u2460.example.com/",
                "https://hooks\u3002example.com/",
                "https://hooks%2eexample.com/",
                "http://2130706433/",
                "http://0x7f.1/",
                "http://0x7f000001/",
                "http://0177.0.0.1/",
                "http://127.1/",
                "http://1.2.3.4.5/",
                "http://256.1.1.1/",
                "http://1.2.3.04/",
                "http://1.2.3.4./",
                "http://[::1/",
                "http://[fe80::1%25eth0]/",
                "http://[1.2.3.4]/",
                "http://[::]x/",
                "https://hooks.example.com/" + "a".repeat(100_000),
                "https://" + "a".repeat(100_000));
    }

    @ParameterizedTest
    @MethodSource("whatIsNoUrl")
    void whatTwoProgramsCouldReadDifferentlyIsNoUrl(String text) {
        assertThatThrownBy(() -> WebhookUrl.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(refused -> assertThat(refused.getMessage()).hasSizeBetween(10, 300));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1/",
                "http://127.9.9.9:8080/",
                "http://0.0.0.0/",
                "http://10.1.2.3/",
                "http://172.16.0.1/",
                "http://192.168.1.1/",
                "http://100.64.0.1/",
                "http://169.254.169.254/latest/meta-data/",
                "http://168.63.129.16/",
                "http://224.0.0.1/",
                "http://255.255.255.255/",
                "http://[::1]/",
                "http://[::]/",
                "http://[::ffff:10.1.2.3]/",
                "http://[::ffff:a9fe:a9fe]/",
                "http://[64:ff9b::a01:203]/",
                "http://[fd00::1]/",
                "http://[fe80::1]/",
                "http://[2002:a01:203::1]/",
                "http://[::10.1.2.3]/",
                "http://localhost/",
                "http://metadata.google.internal/",
                "http://printer.local/",
                "http://intranet/"
            })
    void whatIsInsideIsRefusedWithASentence(String text) {
        WebhookUrl url = WebhookUrl.parse(text);

        assertThat(guard("").refusal(url))
                .hasValueSatisfying(why -> assertThat(why).contains("vivarium.webhooks.allow-internal"));
        url.literal()
                .ifPresent(address -> assertThat(guard("").mayReach(address)).isFalse());
    }

    @Test
    void whatIsOutsideIsReached() {
        assertThat(guard("").refusal(WebhookUrl.parse("http://8.8.8.8/"))).isEmpty();
        assertThat(guard("").refusal(WebhookUrl.parse("https://hooks.example.com/")))
                .isEmpty();
        assertThat(guard("").mayReach(InetAddresses.forString("2600::1"))).isTrue();
    }

    @Test
    void whatAnOperatorAllowsIsReachedAndNothingBesides() {
        WebhookGuard guard = guard("webhooks.allow-internal = [\"10.1.2.0/24\", \"fd00::/64\"]");

        assertThat(guard.refusal(WebhookUrl.parse("http://10.1.2.3/"))).isEmpty();
        assertThat(guard.refusal(WebhookUrl.parse("http://[fd00::9]/"))).isEmpty();
        assertThat(guard.refusal(WebhookUrl.parse("http://10.1.3.3/"))).isPresent();
        assertThat(guard.refusal(WebhookUrl.parse("http://hooks.internal/")))
                .as("decided by the address that it leads to")
                .isEmpty();
    }

    @Test
    void theOperatorsOwnInternalRangesAreInside() {
        WebhookGuard guard = guard("egress.internal-ranges = [\"8.8.8.0/24\"]");

        assertThat(guard.refusal(WebhookUrl.parse("http://8.8.8.8/"))).isPresent();
    }

    @Test
    void aRangeThatIsNoneIsNamed() {
        assertThatThrownBy(() -> guard("webhooks.allow-internal = [\"10.1.2.3/24\"]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("vivarium.webhooks.allow-internal");
    }

    private static WebhookGuard guard(String settings) {
        Config config = ConfigFactory.parseString(settings).withFallback(SHIPPED);
        return WebhookGuard.of(config.getConfig("egress"), config.getConfig("webhooks"));
    }
}
