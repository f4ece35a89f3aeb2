package dev.vivarium.node.network.resolver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResolverSettingsTest {
    @Test
    void theNodesResolversAreThoseOfResolvConf(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("resolv.conf");
        Files.writeString(
                file,
                """
                # nameserver 1.1.1.1
                search example.com
                nameserver 192.0.2.53
                  nameserver	2001:db8::53 # the other
                nameserver fe80::1%eth0
                nameserver not.an.address
                nameserver 999.1.1.1
                options edns0
                """);

        assertThat(ResolverSettings.ofResolvConf(file))
                .extracting(server -> server.getAddress().getHostAddress() + " " + server.getPort())
                .containsExactly("192.0.2.53 53", "2001:db8:0:0:0:0:0:53 53");
        assertThat(ResolverSettings.ofResolvConf(folder.resolve("none"))).isEmpty();
    }
}
