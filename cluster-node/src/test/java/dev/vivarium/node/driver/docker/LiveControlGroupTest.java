package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.vivarium.node.driver.linux.BlockDevice;
import dev.vivarium.node.driver.linux.CgroupFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The control groups of a live sandbox as the host's kernel shows them, in either version. */
class LiveControlGroupTest {
    /** The memory, the disk, and the guest's overhead. */
    private static final String MEMORY_BYTES = Long.toString((64L + 16 + 16) << 20);

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private InspectedSandbox sandbox;

    @BeforeEach
    void start() {
        sandbox = InspectedSandbox.start(sandboxes);
    }

    @AfterEach
    void destroy() {
        sandboxes.destroy(sandbox.live());
    }

    /** A machine has controllers in one version only, and each version has its own files: the tests follow what is there. */
    @TestFactory
    Stream<DynamicTest> theControlGroupsOfThisMachine() throws IOException {
        return version2().isPresent()
                ? Stream.of(dynamicTest(
                        "version 2 limits what the template limits", this::version2LimitsWhatTheTemplateLimits))
                : Stream.of(
                        dynamicTest(
                                "version 1 limits what the template limits", this::version1LimitsWhatTheTemplateLimits),
                        dynamicTest("version 1 limits the disk of images", this::version1LimitsTheDiskOfImages),
                        dynamicTest("version 1 allows only these devices", this::version1AllowsOnlyTheseDevices),
                        dynamicTest(
                                "version 1 keeps guest and agent together and runs no release agent",
                                this::version1KeepsGuestAndAgentTogetherWithoutAReleaseAgent));
    }

    private Optional<Path> version2() throws IOException {
        return CgroupFormat.directoryV2(
                        CgroupFormat.hierarchies(Files.readAllLines(Path.of("/proc/mounts"))),
                        CgroupFormat.memberships(sandbox.guest().lines("cgroup")))
                .map(Path::of)
                .filter(directory -> Files.exists(directory.resolve("memory.max")));
    }

    private void version1LimitsWhatTheTemplateLimits() throws IOException {
        SortedMap<String, String> mustBe = new TreeMap<>(Map.of(
                "memory.limit_in_bytes", MEMORY_BYTES,
                "memory.memsw.limit_in_bytes", MEMORY_BYTES,
                "memory.kmem.tcp.limit_in_bytes", MEMORY_BYTES,
                "memory.oom_control", "oom_kill_disable 0",
                "memory.use_hierarchy", "1",
                "memory.move_charge_at_immigrate", "0",
                "pids.max", "21"));
        mustBe.putAll(Map.of(
                "cpu.cfs_quota_us", "50000",
                "cpu.cfs_period_us", "100000",
                "cpu.cfs_burst_us", "0",
                "cpu.rt_runtime_us", "0",
                "cpu.shares", "1024",
                "cpu.idle", "0",
                "blkio.bfq.weight", "100",
                "cpuset.cpu_exclusive", "0",
                "freezer.state", "THAWED"));
        mustBe.keySet().removeIf(file -> !Files.exists(file(file)));
        SortedMap<String, String> is = new TreeMap<>();
        for (String file : mustBe.keySet()) {
            is.put(file, Files.readAllLines(file(file)).get(0));
        }

        assertThat(is).isEqualTo(mustBe).containsKeys("memory.memsw.limit_in_bytes", "pids.max", "cpu.cfs_quota_us");
    }

    /** By the defaults of docker-driver.conf; a file system without a block device cannot be limited. */
    private void version1LimitsTheDiskOfImages() throws IOException {
        Path images = Path.of(Docker.run("info", "-f", "{{.DockerRootDir}}").strip());
        SortedMap<String, Boolean> limited = new TreeMap<>();
        for (String file : List.of("read_bps", "write_bps", "read_iops", "write_iops")) {
            List<String> lines = Files.readAllLines(file("blkio.throttle." + file + "_device"));
            limited.put(file, lines.stream().anyMatch(line -> line.matches("\\d+:\\d+ [1-9]\\d*")));
        }

        assertThat(limited.values()).containsOnly(BlockDevice.of(images).isPresent());
    }

    /** The rules let any device node be made (no capability allows it, though) and these be used: all of them are in /dev. */
    private void version1AllowsOnlyTheseDevices() throws IOException {
        assertThat(Files.readAllLines(file("devices.list")))
                .containsExactlyInAnyOrder(
                        "b *:* m",
                        "c *:* m",
                        "c 1:3 rwm",
                        "c 1:5 rwm",
                        "c 1:7 rwm",
                        "c 1:8 rwm",
                        "c 1:9 rwm",
                        "c 5:0 rwm",
                        "c 5:1 rwm",
                        "c 5:2 rwm",
                        "c 10:200 rwm",
                        "c 136:* rwm");
    }

    private void version1KeepsGuestAndAgentTogetherWithoutAReleaseAgent() throws IOException {
        assertThat(sandbox.agent().lines("cgroup")).isEqualTo(sandbox.guest().lines("cgroup"));

        for (String line : sandbox.guest().lines("cgroup")) {
            String controllers = line.split(":", 3)[1];
            if (!controllers.isEmpty() && !controllers.startsWith("name=")) {
                Path group = group(controllers.split(",", 2)[0]).orElseThrow();
                assertThat(group.getFileName()).hasToString(sandbox.container());
                assertThat(group.resolve("notify_on_release")).as(controllers).hasContent("0");
                assertThat(Files.readAllLines(group.resolve("cgroup.procs")))
                        .containsExactlyInAnyOrder(
                                Long.toString(sandbox.guest().pid()),
                                Long.toString(sandbox.agent().pid()));
            }
        }
    }

    /** The device rule is a BPF program, which no file shows: LiveMountsTest checks the visible devices. */
    private void version2LimitsWhatTheTemplateLimits() throws IOException {
        Path group = version2().orElseThrow();
        SortedMap<String, String> mustBe = new TreeMap<>(Map.of(
                "memory.max", MEMORY_BYTES,
                "memory.swap.max", "0",
                "memory.oom.group", "0",
                "pids.max", "21",
                "cpu.max", "50000 100000",
                "cpu.weight", "100",
                "cgroup.freeze", "0",
                "cgroup.type", "domain"));
        SortedMap<String, String> is = new TreeMap<>();
        for (String file : mustBe.keySet()) {
            is.put(file, Files.readString(group.resolve(file)).strip());
        }

        assertThat(is).isEqualTo(mustBe);
        assertThat(sandbox.agent().lines("cgroup")).isEqualTo(sandbox.guest().lines("cgroup"));
        assertThat(Files.readAllLines(group.resolve("cgroup.procs")))
                .containsExactlyInAnyOrder(
                        Long.toString(sandbox.guest().pid()),
                        Long.toString(sandbox.agent().pid()));
    }

    private Path file(String name) {
        String controller = name.substring(0, name.indexOf('.'));
        return group(controller).orElseThrow().resolve(name);
    }

    private Optional<Path> group(String controller) {
        try {
            return CgroupFormat.directoryV1(
                            CgroupFormat.hierarchies(Files.readAllLines(Path.of("/proc/mounts"))),
                            CgroupFormat.memberships(sandbox.guest().lines("cgroup")),
                            controller)
                    .map(Path::of);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
