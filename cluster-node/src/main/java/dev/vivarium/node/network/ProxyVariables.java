package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxHandle;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Environment variables that point programs at the gateway, and exempt the sandbox itself. There is no standard: tools
 * differ in the case of names, and some understand address blocks while others compare strings. So the common names and
 * addresses of the local host are listed in addition to the block that contains them.
 */
final class ProxyVariables {
    private static final List<String> ONESELF = List.of(
            "localhost",
            SandboxHandle.HOST_NAME,
            "127.0.0.1",
            "127.0.0.2",
            "127.0.1.1",
            "127.0.0.0/8",
            "0.0.0.0",
            "::1",
            "[::1]",
            "::",
            "[::]");

    private ProxyVariables() {}

    /** For a sandbox with the address {@code sandbox}. */
    static Map<String, String> of(String gateway, int port, String sandbox) {
        String proxy = "http://" + gateway + ":" + port;
        String direct = String.join(",", ONESELF) + "," + sandbox;
        Map<String, String> variables = new HashMap<>();
        for (String name : List.of("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")) {
            variables.put(name, proxy);
        }
        variables.put("no_proxy", direct);
        variables.put("NO_PROXY", direct);
        return Map.copyOf(variables);
    }
}
