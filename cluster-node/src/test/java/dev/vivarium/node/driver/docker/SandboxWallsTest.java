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

/** A sandbox's isolation: the configuration that the engine reports, and what an agent sees inside. */
class SandboxWallsTest {
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

    @Test
    void theAgentCannotTouchTheGuest() {
        String answers = sandbox.python(
                1,
                """
                import os
                def tried(what):
                    try:
                        return what() or 'done'
                    except OSError as error:
                        return type(error).__name__
                print(tried(lambda: os.kill(1, 9)), tried(lambda: os.kill(1, 0)))
                print(tried(lambda: open('/proc/1/mem', 'rb')), tried(lambda: open('/proc/1/environ').read()))
                print(tried(lambda: os.listdir('/proc/1/fd')), tried(lambda: os.readlink('/proc/1/root')))
                print(tried(lambda: open('/.vivarium/vivarium-init', 'ab')), tried(lambda: os.unlink('/.vivarium/vivarium-init')))
                """);

        assertThat(answers.split("\\s+")).containsOnly("PermissionError").hasSize(8);
        assertThat(sandbox.heard().isClosed()).isFalse();
    }

    @Test
    void theAgentCanWriteToItsWorkspaceAndTmpOnly() {
        String writable = sandbox.python(
                1,
                """
                import os
                found = []
                for top, folders, files in os.walk('/'):
                    folders[:] = [name for name in folders if os.path.join(top, name) not in ('/proc', '/sys')]
                    try:
                        name = os.path.join(top, 'probe')
                        open(name, 'w').close()
                        os.unlink(name)
                        found.append(top)
                    except OSError:
                        pass
                print(sorted(found))
                """);

        assertThat(writable).isEqualTo("['/dev/mqueue', '/dev/shm', '/tmp', '/workspace']");
    }

    @Test
    void theWorkspaceIsLimitedInSize() {
        String answer = sandbox.python(
                1,
                """
                import os
                written = 0
                try:
                    with open('/workspace/big', 'wb', buffering=0) as big:
                        while True:
                            written += big.write(b'x' * 65536)
                except OSError as error:
                    print(written >> 20, error.errno)
                """);

        assertThat(answer).isEqualTo("16 28");
    }

    @Test
    void theSandboxSeesItsOwnProcessesOnly() {
        String answer = sandbox.python(
                1,
                """
                import os
                print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()) == [1, os.getpid()])
                print(os.uname().nodename)
                """);

        assertThat(answer).isEqualTo("True\nsandbox");
    }

    private static List<String> texts(JsonNode array) {
        List<String> result = new ArrayList<>();
        array.forEach(item -> result.add(item.asText()));
        return result;
    }
}
