package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.node.driver.AgentAccount;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Compares the configuration that a runtime gets without an engine with the one that the engine has written for a live
 * sandbox of the same template. Each difference is listed here.
 */
class RuntimeConfigTest {
    private static final Path OF_THE_ENGINE =
            Path.of("/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby");
    private static final Path OF_A_SHARED_CONTAINERD = Path.of("/run/containerd/io.containerd.runtime.v2.task/moby");

    private static final RuntimeConfig.Disk DISK = new RuntimeConfig.Disk(Path.of("/dev/disk"), 8, 16);

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private TestSandboxes.Live live;
    private JsonNode engines;
    private JsonNode ours;

    @BeforeEach
    void start() throws IOException {
        SandboxTemplate template = InspectedSandbox.TEMPLATE;
        live = sandboxes.create(template);
        String container = Docker.byLabel(Labels.SANDBOX + "=" + live.id().value());
        Optional<Path> written = Stream.of(OF_THE_ENGINE, OF_A_SHARED_CONTAINERD)
                .map(tasks -> tasks.resolve(container).resolve("config.json"))
                .filter(Files::isReadable)
                .findFirst();
        Assumptions.assumeTrue(written.isPresent(), "The engine's configuration of the runtime cannot be read.");
        engines = new ObjectMapper().readTree(written.get().toFile());
        ours = config(template);
    }

    private JsonNode config(SandboxTemplate template) {
        return runtimeConfig(Runtime.getRuntime().availableProcessors())
                .of(live.id(), template, new RuntimeConfig.Place("root", "/vivarium/group", Map.of(), files()));
    }

    private RuntimeConfig runtimeConfig(int cpus) {
        boolean hasIpv6 = Files.isDirectory(Path.of("/proc/sys/net/ipv6/conf/default"));
        return new RuntimeConfig(
                sandboxes.config(),
                new RuntimeConfig.Machine(
                        cpus, "x86_64", hasIpv6, Optional.empty(), Optional.of(DISK), RuntimeConfig.GroupsVersion.TWO));
    }

    private static Map<String, Path> files() {
        return Stream.concat(
                        HostMachine.read(Path.of("/")).files().stream(),
                        Stream.of(AgentAccount.PASSWD, AgentAccount.GROUP))
                .collect(Collectors.toMap(path -> path, path -> Path.of("/state", path)));
    }

    @AfterEach
    void destroy() {
        sandboxes.destroy(live);
    }

    @Test
    void theProcessDiffersOnlyInGroupsAndHome() {
        for (String field : List.of("args", "cwd", "rlimits", "noNewPrivileges", "oomScoreAdj")) {
            assertThat(ours.at("/process/" + field))
                    .as(field)
                    .hasToString(engines.at("/process/" + field).toString());
        }
        for (String set : List.of("bounding", "effective", "permitted")) {
            assertThat(texts(ours.at("/process/capabilities/" + set)))
                    .isEqualTo(texts(engines.at("/process/capabilities/" + set)));
        }
        for (String set : List.of("inheritable", "ambient")) {
            assertThat(ours.at("/process/capabilities/" + set)).isEmpty();
            assertThat(engines.at("/process/capabilities/" + set)).isEmpty();
        }
        // The engine's runtime sets HOME itself.
        Set<String> environment = new TreeSet<>(texts(engines.at("/process/env")));
        environment.add("HOME=/root");
        assertThat(texts(ours.at("/process/env"))).isEqualTo(environment);
        assertThat(ours.at("/root/readonly")).isEqualTo(engines.at("/root/readonly"));
        assertThat(ours.at("/hostname")).isEqualTo(engines.at("/hostname"));
    }

    @Test
    void maskedPathsSysctlsAndSystemCallsAreTheSame() {
        assertThat(texts(ours.at("/linux/maskedPaths"))).isEqualTo(texts(engines.at("/linux/maskedPaths")));
        assertThat(texts(ours.at("/linux/readonlyPaths"))).isEqualTo(texts(engines.at("/linux/readonlyPaths")));
        Map<String, String> settings = settings(engines);
        // The engine disables IPv6 by other means.
        if (settings.containsKey("net.ipv6.conf.lo.disable_ipv6")) {
            settings.put("net.ipv6.conf.default.disable_ipv6", "1");
        }
        assertThat(settings(ours)).isEqualTo(settings);
        assertThat(ours.at("/linux/seccomp/defaultAction")).isEqualTo(engines.at("/linux/seccomp/defaultAction"));
        assertThat(ours.at("/linux/seccomp/architectures")).isEqualTo(engines.at("/linux/seccomp/architectures"));
        assertThat(calls(ours)).isEqualTo(calls(engines));
        assertThat(namespaces(ours)).isEqualTo(namespaces(engines));
    }

    @Test
    void limitsAreTheSame() {
        for (String limit : List.of("memory/limit", "memory/swap", "cpu/period", "pids/limit")) {
            assertThat(ours.at("/linux/resources/" + limit).asLong())
                    .as(limit)
                    .isEqualTo(engines.at("/linux/resources/" + limit).asLong());
        }
        assertThat(runtimeConfig(8).cpuQuotaMicros(InspectedSandbox.TEMPLATE))
                .isEqualTo(engines.at("/linux/resources/cpu/quota").asLong());
    }

    @Test
    void aSandboxStartsWithAtLeastOneProcessor() {
        assertThat(quotas("20m")).containsExactly(2_000, 100_000);
        assertThat(quotas("1")).containsExactly(100_000, 100_000);
        assertThat(quotas("1500m")).containsExactly(150_000, 150_000);
        assertThat(quotas("64")).as("more than the machine has").containsExactly(800_000, 800_000);
    }

    /** A run's, and that of its sandbox's start. */
    private long[] quotas(String cpu) {
        SandboxTemplate template = new SandboxTemplate(
                TestSandboxes.IMAGE, Isolation.GVISOR, Limits.SMALLEST.with(Limit.CPU, cpu), Optional.empty());
        RuntimeConfig config = runtimeConfig(8);
        JsonNode start =
                config.of(live.id(), template, new RuntimeConfig.Place("root", "/vivarium/group", Map.of(), files()));
        return new long[] {
            config.cpuQuotaMicros(template),
            start.at("/linux/resources/cpu/quota").asLong()
        };
    }

    /** The engine may keep images on another disk; a file system without a block device cannot be limited. */
    @Test
    void theDiskThrottlingIsTheSame() {
        DiskShare share = sandboxes.config().disk();

        assertThat(ours.at("/linux/resources/blockIO/throttleReadBpsDevice").toString())
                .isEqualTo("[{\"major\":8,\"minor\":16,\"rate\":" + share.readBytes() + "}]");
        for (String throttle : List.of("ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS")) {
            String path = "/linux/resources/blockIO/throttle" + throttle + "Device/0/rate";
            if (!engines.at(path).isMissingNode()) {
                assertThat(ours.at(path).asLong())
                        .as(throttle)
                        .isEqualTo(engines.at(path).asLong());
            }
        }
    }

    /**
     * Bind mounts of the engine (the guest, three files of /etc, its volume of terminals) are in the layer, or mounts of
     * their own type.
     */
    @Test
    void mountsAreTheSame() {
        Map<String, Set<String>> mustBe = mounts(engines);
        mustBe.keySet().removeAll(Set.of("/.vivarium", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/dev/pts"));
        Map<String, Set<String>> are = mounts(ours);
        are.remove("/dev/pts");

        assertThat(are).isEqualTo(mustBe);
    }

    @Test
    void aSandboxWithItsOwnKernelIsStartedInTheLaunchersNetworkNamespace() {
        SandboxTemplate own = new SandboxTemplate(
                TestSandboxes.IMAGE, Isolation.GVISOR, InspectedSandbox.TEMPLATE.limits(), Optional.empty());
        JsonNode config = config(own);

        assertThat(config.at("/linux/sysctl").isMissingNode()).isTrue();
        assertThat(config.at("/linux/namespaces").toString())
                .contains("{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}");
        assertThat(texts(config.at("/linux/maskedPaths"))).isEqualTo(texts(ours.at("/linux/maskedPaths")));
    }

    private static Map<String, Set<String>> mounts(JsonNode config) {
        Map<String, Set<String>> mounts = new TreeMap<>();
        for (JsonNode mount : config.path("mounts")) {
            Set<String> options = new TreeSet<>(texts(mount.path("options")));
            // Without an engine, mount propagation is the runtime's default and atime options are the kernel's.
            options.removeAll(Set.of("rprivate", "rslave", "relatime"));
            options.add("type=" + mount.path("type").asText());
            mounts.put(mount.path("destination").asText(), options);
        }
        return mounts;
    }

    /** Each call with its action and its conditions, since the engine may group calls differently. */
    private static Set<String> calls(JsonNode config) {
        Set<String> calls = new TreeSet<>();
        for (JsonNode rule : config.at("/linux/seccomp/syscalls")) {
            List<String> conditions = new ArrayList<>();
            for (JsonNode condition : rule.path("args")) {
                conditions.add(condition.path("index").asInt() + " "
                        + condition.path("op").asText() + " "
                        + condition.path("value").asLong() + " "
                        + condition.path("valueTwo").asLong());
            }
            String answer = rule.path("action").asText() + " "
                    + (rule.has("errnoRet") ? rule.path("errnoRet").asInt() : -1) + " " + conditions;
            texts(rule.path("names")).forEach(name -> calls.add(name + " " + answer));
        }
        return calls;
    }

    private static Map<String, String> settings(JsonNode config) {
        Map<String, String> settings = new TreeMap<>();
        config.at("/linux/sysctl")
                .properties()
                .forEach(each -> settings.put(each.getKey(), each.getValue().asText()));
        return settings;
    }

    private static Set<String> namespaces(JsonNode config) {
        Set<String> types = new TreeSet<>();
        config.at("/linux/namespaces")
                .forEach(each -> types.add(each.path("type").asText()));
        return types;
    }

    private static Set<String> texts(JsonNode array) {
        Set<String> texts = new TreeSet<>();
        StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).forEach(texts::add);
        return texts;
    }
}
