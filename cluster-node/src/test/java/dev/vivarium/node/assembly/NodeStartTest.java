package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.NodeStartException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that cannot start says why in a sentence, before anything is started or written. */
class NodeStartTest {
    @TempDir
    private Path folder;

    @Test
    void aPortInUseIsRefusedBeforeAnythingIsWritten() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Path data = folder.resolve("data");

            assertThatThrownBy(() -> start("127.0.0.1", other.getLocalPort(), data, Optional.empty()))
                    .isInstanceOf(NodeStartException.class)
                    .hasMessageContaining("127.0.0.1:" + other.getLocalPort())
                    .hasMessageContaining("--port");
            assertThat(data).doesNotExist();
        }
    }

    @Test
    void anAddressOfAnotherMachineIsRefused() {
        assertThatThrownBy(() -> start("192.0.2.1", 0, folder.resolve("data"), Optional.empty()))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("--host");
    }

    @Test
    void clearTextBeyondThisMachineIsRefusedBeforeAnythingIsWritten() {
        Path data = folder.resolve("data");

        assertThatThrownBy(() -> start("0.0.0.0", 0, data, Optional.empty()))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("--certificate")
                .hasMessageContaining("--insecure-tokens-in-clear-text");
        assertThat(data).doesNotExist();
    }

    @Test
    void aCertificateThatCannotBeUsedIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path config = Files.writeString(
                folder.resolve("tls.conf"), "vivarium.http.tls { certificate = \"/nowhere\", key = \"/nowhere\" }");
        Path data = folder.resolve("data");

        assertThatThrownBy(() -> start("127.0.0.1", 0, data, Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("/nowhere")
                .hasMessageContaining("cannot be read");
        assertThat(data).doesNotExist();
    }

    @Test
    void aDataDirectoryThatCannotBeMadeIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");

        assertThatThrownBy(() -> start("127.0.0.1", 0, file.resolve("data"), Optional.empty()))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("The data directory " + file.resolve("data") + " cannot be created or written to")
                .hasMessageContaining("choose another one");
    }

    @Test
    void aConfigurationThatCannotBeReadIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path config = Files.writeString(folder.resolve("bad.conf"), "vivarium { run {");
        Path data = folder.resolve("data");

        assertThatThrownBy(() -> start("127.0.0.1", 0, data, Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("bad.conf");
        assertThat(data).doesNotExist();
    }

    @Test
    void anUnknownKeyIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path config = Files.writeString(
                folder.resolve("typo.conf"), "mine { queue-max = 5 }\nvivarium.run = ${mine} {\n  live-mx = 3\n}");
        Path data = folder.resolve("data");

        assertThatThrownBy(() -> start("127.0.0.1", 0, data, Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("There is no key vivarium.run.live-mx")
                .hasMessageContaining("typo.conf: 3")
                .hasMessageContaining("did you mean vivarium.run.live-max?");
        assertThatThrownBy(() -> LocalNode.start(new NodeOptions(
                                "127.0.0.1",
                                0,
                                data,
                                data.resolve("token"),
                                data.resolve("socket").resolve("api.sock"),
                                Optional.empty(),
                                Map.of("vivarium.nonsense.of.mine", "1")))
                        .close())
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("There is no key vivarium.nonsense (--set); reference.conf lists all keys.");
        assertThat(data).doesNotExist();
    }

    @Test
    void anUnknownDriverIsRefused() throws IOException {
        Path config = Files.writeString(folder.resolve("driver.conf"), "vivarium.driver.kind = dokcer");

        assertThatThrownBy(() -> start("127.0.0.1", 0, folder.resolve("data"), Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("vivarium.driver.kind is \"dokcer\"")
                .hasMessageContaining("docker, idle");
    }

    @Test
    void aNodeOnAMachineWithARefusedHoleDoesNotStart() throws IOException {
        Path config = Files.writeString(
                folder.resolve("strict.conf"),
                "vivarium.machine { refuse-known-holes = problem, more-known-holes = \""
                        + HolesOfEveryMachine.in(folder) + "\" }");
        Path data = folder.resolve("data");

        assertThatThrownBy(() -> start("127.0.0.1", 0, data, Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining(
                        "No node starts on this machine: vivarium.machine.refuse-known-holes is problem, and ")
                .hasMessageContaining(" has " + HolesOfEveryMachine.ID)
                .hasMessageEndingWith(HolesOfEveryMachine.REMEDY);
        assertThat(data).doesNotExist();
    }

    @Test
    void aListOfHolesThatCannotBeReadIsRefused() throws IOException {
        Path config = Files.writeString(
                folder.resolve("strict.conf"),
                "vivarium.machine { refuse-known-holes = note, more-known-holes = /nowhere/holes.conf }");

        assertThatThrownBy(() -> start("127.0.0.1", 0, folder.resolve("data"), Optional.of(config)))
                .isInstanceOf(NodeStartException.class)
                .hasMessageContaining("vivarium.machine.more-known-holes")
                .hasMessageContaining("/nowhere/holes.conf");
    }

    private static void start(String host, int port, Path data, Optional<Path> config) throws NodeStartException {
        LocalNode.start(new NodeOptions(
                        host,
                        port,
                        data,
                        data.resolve("token"),
                        data.resolve("socket").resolve("api.sock"),
                        config,
                        Map.of()))
                .close();
    }
}
