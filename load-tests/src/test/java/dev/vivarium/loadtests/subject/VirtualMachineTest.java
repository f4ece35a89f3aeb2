package dev.vivarium.loadtests.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class VirtualMachineTest {
    @Test
    void theHeapOfAVirtualMachineIsMeasured() throws IOException {
        byte[] held = new byte[64 * 1024 * 1024];

        assertThat(VirtualMachine.heapInUse(ProcessHandle.current().pid())).isGreaterThan(held.length);
    }

    @Test
    void aMissingProcessIsReported() {
        assertThatThrownBy(() -> VirtualMachine.heapInUse(Long.MAX_VALUE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("jcmd");
        assertThatThrownBy(() -> VirtualMachine.total("nothing")).hasMessageContaining("no total");
    }
}
