package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ProxyVariablesTest {
    private final Map<String, String> variables = ProxyVariables.of("198.18.0.1", 3128, "198.18.0.9");

    @Test
    void theProxyIsTheGatewayInBothCases() {
        for (String name : new String[] {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}) {
            assertThat(variables.get(name)).isEqualTo("http://198.18.0.1:3128");
        }
    }

    @Test
    void everyNameOfTheSandboxItselfBypassesTheProxy() {
        assertThat(variables.get("NO_PROXY").split(","))
                .contains("localhost", "sandbox", "127.0.0.1", "127.0.0.0/8", "::1", "0.0.0.0", "198.18.0.9");
        assertThat(variables.get("no_proxy")).isEqualTo(variables.get("NO_PROXY"));
    }
}
