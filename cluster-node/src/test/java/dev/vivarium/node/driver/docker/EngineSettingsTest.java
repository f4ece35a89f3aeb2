package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.node.driver.linux.SystemCallFilter;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A sandbox's isolation, as the engine reports its configuration. */
class EngineSettingsTest {
    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private Live sandbox;

    @BeforeEach
    void makeSandbox() {
        sandbox = sandboxes.create(new SandboxTemplate(
                TestSandboxes.IMAGE,
                Isolation.CONTAINER,
                Limits.SMALLEST
                        .with(Limit.CPU, "500m")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.PIDS, 20L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty()));
    }

    @AfterEach
    void destroySandbox() {
        sandboxes.destroy(sandbox);
    }

    @Test
    void theEngineAppliesEveryIsolationSetting() {
        JsonNode container = Docker.inspect(sandboxes.containers().get(0));
        JsonNode config = container.get("Config");
        JsonNode host = container.get("HostConfig");

        assertThat(config.at("/User").asText()).isEqualTo("0:0");
        assertThat(texts(config.at("/Entrypoint"))).containsExactly("/.vivarium/vivarium-init");
        assertThat(texts(config.at("/Cmd"))).isEmpty();
        assertThat(texts(config.at("/Healthcheck/Test"))).containsExactly("NONE");
        assertThat(config.at("/Hostname").asText()).isEqualTo("sandbox");
        assertThat(config.at("/OpenStdin").asBoolean()).isTrue();
        assertThat(config.at("/StdinOnce").asBoolean()).isTrue();
        assertThat(config.at("/Tty").asBoolean()).isFalse();
        assertThat(config.at("/Labels/dev.vivarium.node").asText()).isEqualTo("node-1");
        assertThat(config.at("/Labels/dev.vivarium.sandbox").asText())
                .isEqualTo(sandbox.id().value());
        assertThat(config.at("/Labels/dev.vivarium.installation").asText())
                .isEqualTo(sandboxes.config().installation());
        assertThat(texts(host.at("/CapDrop"))).containsExactly("ALL");
        assertThat(texts(host.at("/CapAdd"))).containsExactlyInAnyOrder("SETUID", "SETGID", "KILL", "SETPCAP");
        assertThat(texts(host.at("/SecurityOpt")))
                .containsExactly(
                        "no-new-privileges:true", "seccomp=" + new SystemCallFilter().json(Isolation.CONTAINER));
        assertThat(host.at("/Privileged").asBoolean()).isFalse();
        assertThat(host.at("/ReadonlyRootfs").asBoolean()).isTrue();
        assertThat(host.at("/NetworkMode").asText()).isEqualTo("none");
        assertThat(host.at("/IpcMode").asText()).isEqualTo("private");
        assertThat(host.at("/PidMode").asText()).isEmpty();
        assertThat(host.at("/UTSMode").asText()).isEmpty();
        assertThat(host.at("/CgroupnsMode").asText()).isEqualTo("private");
        assertThat(host.at("/Memory").asLong()).isEqualTo((64 + 16 + 16) << 20);
        assertThat(host.at("/MemorySwap").asLong()).isEqualTo(host.at("/Memory").asLong());
        assertThat(host.at("/OomKillDisable").asBoolean()).isFalse();
        assertThat(host.at("/OomScoreAdj").asInt()).isEqualTo(500);
        assertThat(host.at("/PidsLimit").asLong()).isEqualTo(21);
        assertThat(host.at("/NanoCpus").asLong()).isEqualTo(500_000_000);
        assertThat(host.at("/ShmSize").asLong()).isEqualTo(64 << 20);
        assertThat(host.at("/LogConfig/Type").asText()).isEqualTo("none");
        assertThat(host.at("/RestartPolicy/Name").asText()).isIn("", "no");
        assertThat(host.at("/AutoRemove").asBoolean()).isTrue();
        assertThat(texts(host.at("/MaskedPaths"))).contains("/proc/kcore", "/proc/keys", "/sys/firmware");
        assertThat(texts(host.at("/ReadonlyPaths"))).contains("/proc/sys");
        assertThat(host.at("/Binds").isNull()).isTrue();
        assertThat(host.at("/Devices").isEmpty()).isTrue();
        // The guest would drop supplementary groups anyway.
        assertThat(texts(host.at("/GroupAdd"))).isEmpty();
    }

    @Test
    void theOnlyMountsAreTheGuestTerminalsItsOwnFilesAndTwoTmpfs() {
        JsonNode container = Docker.inspect(sandboxes.containers().get(0));
        JsonNode mounts = container.get("Mounts");
        JsonNode tmpfs = container.at("/HostConfig/Tmpfs");
        int agent = sandbox.id().agentUid();
        List<String> mustBe = new ArrayList<>(
                List.of("volume /.vivarium ro", "volume /dev/pts rw", "bind /etc/passwd ro", "bind /etc/group ro"));
        HostMachine.read(Path.of("/")).files().forEach(path -> mustBe.add("bind " + path + " ro"));

        assertThat(mounts)
                .extracting(mount -> mount.at("/Type").asText() + " "
                        + mount.at("/Destination").asText() + " "
                        + (mount.at("/RW").asBoolean() ? "rw" : "ro"))
                .containsExactlyInAnyOrderElementsOf(mustBe);
        assertThat(tmpfs).hasSize(2);
        assertThat(tmpfs.get("/workspace").asText())
                .isEqualTo(
                        "rw,exec,nosuid,nodev,size=16777216,nr_inodes=2048,mode=0700,uid=" + agent + ",gid=" + agent);
        assertThat(tmpfs.get("/tmp").asText()).isEqualTo("rw,exec,nosuid,nodev,size=16777216,nr_inodes=2048,mode=1777");
    }

    private static List<String> texts(JsonNode array) {
        List<String> result = new ArrayList<>();
        array.forEach(item -> result.add(item.asText()));
        return result;
    }
}
