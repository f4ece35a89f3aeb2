package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConnectionTableTest {
    @Test
    void theMachinesTableIsReadAsItIs() throws IOException {
        Path max = Path.of("/proc/sys/net/netfilter/nf_conntrack_max");
        assumeThat(max).as("connections are tracked").exists();
        assertThat(ConnectionTable.now().max())
                .isEqualTo(Long.parseLong(Files.readAllLines(max).get(0)));
    }

    @Test
    void aNearlyFullTableIsClosedToSandboxesUntilThereIsRoom() {
        assertThat(new ConnectionTable(75, 100).closes(false)).isFalse();
        assertThat(new ConnectionTable(76, 100).closes(false)).isTrue();
        assertThat(new ConnectionTable(61, 100).closes(true)).isTrue();
        assertThat(new ConnectionTable(60, 100).closes(true)).isFalse();
    }
}
