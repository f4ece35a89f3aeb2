package dev.vivarium.node.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AgentAccountTest {
    private static final int UID = 0x7000_0001;

    @Test
    void anImageWithoutFilesGetsTheAgentsEntries() {
        assertThat(text(AgentAccount.passwd(new byte[0], UID)))
                .isEqualTo("agent:x:1879048193:1879048193:agent:/workspace:/bin/sh\n");
        assertThat(text(AgentAccount.group(new byte[0], UID))).isEqualTo("agent:x:1879048193:\n");
    }

    @Test
    void anImagesAccountsAreKeptAfterTheAgents() {
        byte[] image = utf8("root:x:0:0:root:/root:/bin/bash\nagent:x:1000:1000::/home/agent:/bin/bash");

        assertThat(text(AgentAccount.passwd(image, UID)).lines())
                .containsExactly(
                        "agent:x:1879048193:1879048193:agent:/workspace:/bin/sh",
                        "root:x:0:0:root:/root:/bin/bash",
                        "agent:x:1000:1000::/home/agent:/bin/bash");
    }

    @Test
    void theAgentsEntryIsIntactWhateverTheImagesFileContains() {
        byte[] noise = {0, (byte) 0xff, ':', '\r', (byte) 0xc3, 'x'};

        byte[] file = AgentAccount.passwd(noise, UID);

        assertThat(text(file).lines().findFirst()).contains("agent:x:1879048193:1879048193:agent:/workspace:/bin/sh");
        assertThat(Arrays.copyOfRange(file, file.length - noise.length, file.length))
                .isEqualTo(noise);
    }

    @Test
    void anEndlessFileIsCutOffAfterAWholeLine() {
        byte[] image = utf8("user:x:1:1::/:/bin/sh\n".repeat(60_000));

        String file = text(AgentAccount.passwd(image, UID));

        assertThat(file.length()).isBetween(AgentAccount.IMAGE_BYTES_MAX - 100, AgentAccount.IMAGE_BYTES_MAX + 100);
        assertThat(file).endsWith("\nuser:x:1:1::/:/bin/sh\n");
        assertThat(text(AgentAccount.passwd(new byte[2 * AgentAccount.IMAGE_BYTES_MAX], UID))
                        .lines())
                .hasSize(1);
    }

    @Test
    void noFileIsMadeWhereTheImageHasNoneToReplace() {
        Map<String, byte[]> files = AgentAccount.files(Optional.of(new byte[0]), Optional.empty(), UID);

        assertThat(files).containsOnlyKeys("/etc/passwd");
        assertThat(text(files.get("/etc/passwd"))).startsWith("agent:x:1879048193:");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
