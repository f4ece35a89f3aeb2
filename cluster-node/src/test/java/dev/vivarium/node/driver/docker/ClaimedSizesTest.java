package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What a claim puts on a sandbox that waited is all that its configuration lacks. */
class ClaimedSizesTest {
    private static final SandboxId ID = new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzz");
    private static final Limits LIMITS = Limits.SMALLEST
            .with(Limit.CPU, "750m")
            .with(Limit.MEMORY, "300Mi")
            .with(Limit.SHARED_MEMORY, "70Mi")
            .with(Limit.PIDS, 99L)
            .with(Limit.DISK, "33Mi")
            .with(Limit.FILES, 4_444L)
            .with(Limit.OPEN_FILES, 5_555L)
            .with(Limit.WALL_CLOCK, "99s");

    private final RuntimeConfig walls = new RuntimeConfig(
            TestSandboxes.config("installation", "node-1"),
            new RuntimeConfig.Machine(
                    2, "x86_64", true, Optional.empty(), Optional.empty(), RuntimeConfig.GroupsVersion.TWO));

    @Test
    void aContainerThatWaitedDiffersOnlyInWhatTheClaimSets() {
        SandboxTemplate wanted = template(Isolation.CONTAINER);
        SandboxTemplate waiting = RuntimeConfig.waiting(wanted);

        assertThat(differences(waiting, wanted))
                .containsExactlyInAnyOrder(
                        "/linux/resources/memory/limit",
                        "/linux/resources/memory/swap",
                        "/linux/resources/pids/limit",
                        "/process/rlimits/0/hard",
                        "/process/rlimits/0/soft",
                        "/mounts of /workspace",
                        "/mounts of /tmp",
                        "/mounts of /dev/shm");
        RuntimeConfig.Sizes sizes = walls.sizes(wanted);
        JsonNode config = config(wanted);
        assertThat(sizes.memoryBytes())
                .isEqualTo(config.at("/linux/resources/memory/limit").asLong());
        assertThat(sizes.pids())
                .isEqualTo(config.at("/linux/resources/pids/limit").asLong());
        assertThat(config.at("/process/rlimits/0/type").asText()).isEqualTo("RLIMIT_NOFILE");
        assertThat(sizes.openFiles())
                .isEqualTo(config.at("/process/rlimits/0/hard").asLong());
        assertThat(options(config, "/workspace")).contains("size=" + sizes.diskBytes(), "nr_inodes=" + sizes.inodes());
        assertThat(options(config, "/tmp")).contains("size=" + sizes.diskBytes(), "nr_inodes=" + sizes.inodes());
        assertThat(options(config, "/dev/shm")).contains("size=" + sizes.sharedMemoryBytes());
    }

    @Test
    void aKernelOfItsOwnKeepsWhatItHasBootedWith() {
        SandboxTemplate wanted = template(Isolation.GVISOR);
        SandboxTemplate waiting = RuntimeConfig.waiting(wanted);

        assertThat(differences(waiting, wanted)).isEmpty();
        assertThat(waiting.limits().get(Limit.WALL_CLOCK)).isEqualTo(Limit.WALL_CLOCK.smallest());
    }

    @Test
    void runsOfOneImageWaitForTheSameSandboxes() {
        SandboxTemplate wanted = template(Isolation.CONTAINER);
        SandboxTemplate other = new SandboxTemplate(
                wanted.image(), wanted.isolation(), LIMITS.with(Limit.MEMORY, "1Gi"), Optional.of("198.18.0.1"));

        assertThat(RuntimeConfig.waiting(other)).isEqualTo(RuntimeConfig.waiting(wanted));
        assertThat(RuntimeConfig.waiting(template(Isolation.GVISOR))).isNotEqualTo(RuntimeConfig.waiting(wanted));
    }

    private static SandboxTemplate template(Isolation isolation) {
        return new SandboxTemplate("image", isolation, LIMITS, Optional.of("198.18.0.1"));
    }

    private JsonNode config(SandboxTemplate template) {
        return walls.of(ID, template, new RuntimeConfig.Place("root", "/vivarium/group", Map.of(), Map.of()));
    }

    private Set<String> differences(SandboxTemplate one, SandboxTemplate other) {
        Map<String, String> first = new TreeMap<>();
        Map<String, String> second = new TreeMap<>();
        leaves("", config(one), first);
        leaves("", config(other), second);
        Set<String> different = new TreeSet<>(first.keySet());
        different.addAll(second.keySet());
        different.removeIf(path -> first.containsKey(path) && first.get(path).equals(second.get(path)));
        return different;
    }

    private static void leaves(String path, JsonNode node, Map<String, String> leaves) {
        if (path.equals("/mounts")) {
            node.forEach(mount ->
                    leaves.put("/mounts of " + mount.path("destination").asText(), mount.toString()));
        } else if (node.isObject()) {
            node.properties().forEach(field -> leaves(path + "/" + field.getKey(), field.getValue(), leaves));
        } else if (node.isArray()) {
            for (int at = 0; at < node.size(); at++) {
                leaves(path + "/" + at, node.get(at), leaves);
            }
        } else {
            leaves.put(path, node.toString());
        }
    }

    private static Set<String> options(JsonNode config, String place) {
        Set<String> options = new TreeSet<>();
        config.path("mounts").forEach(mount -> {
            if (mount.path("destination").asText().equals(place)) {
                mount.path("options").forEach(option -> options.add(option.asText()));
            }
        });
        return options;
    }
}
