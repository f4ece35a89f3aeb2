package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.dockerjava.api.model.BlkioRateDevice;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Driver;
import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.Ulimit;
import dev.vivarium.node.driver.AgentAccount;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.linux.SystemCallFilter;
import dev.vivarium.node.json.PlainJson;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a sandbox for an OCI runtime, without an engine: a {@link ContainerSpec} in the format of the OCI
 * runtime specification (config.json). Restrictions are defined there; this only translates them, as a pure function, so
 * that both drivers isolate in the same way. A test compares the result with an engine's.
 *
 * <p>One of them follows later: a sandbox starts with at least one processor, since with a share as small as a run may have, a
 * kernel of its own takes half a minute to boot. {@link #cpuQuotaMicros} is to be set when the guest has greeted, before any agent
 * runs.
 */
public final class RuntimeConfig {
    /** The type of the mounts that are files of this machine; all others are file systems. */
    public static final String FILE = "bind";

    private static final String SPECIFICATION = "1.0.2";
    private static final int UMASK = 022;
    private static final int CPU_PERIOD_MICROS = 100_000;

    /** Settings of an engine in each network namespace: programs other than root may use low ports and send echo requests. */
    private static final Map<String, String> SETTINGS =
            Map.of("net.ipv4.ip_unprivileged_port_start", "0", "net.ipv4.ping_group_range", "0 2147483647");

    /** An engine disables IPv6 on every link; a sandbox's link is created after its network namespace. */
    private static final String NO_IPV6_ON_LINKS = "net.ipv6.conf.default.disable_ipv6";

    /** Devices of a sandbox by major and minor number: null, zero, full, random, urandom, tty, ptmx and the terminals. */
    private static final int[][] DEVICES = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};

    /** Starting a sandbox takes this much, however little its run may use. */
    private static final String WAITING_CPU = "1";

    /** What a kernel of its own takes in when it boots. Its memory and threads are the host's, and so is their limit. */
    private static final List<Limit<?>> INSIDE_AN_OWN_KERNEL = List.of(
            Limit.DISK, Limit.FILES, Limit.SHARED_MEMORY, Limit.OPEN_FILES, Limit.PIDS, Limit.MEMORY, Limit.CPU);

    private static final int TERMINALS = 136;

    private final ContainerSpec spec;
    private final Machine machine;
    private final ObjectNode onSharedKernel;
    private final ObjectNode onOwnKernel;

    /**
     * The machine of the sandboxes.
     *
     * @param cpus the number of its processors
     * @param architecture its name in the kernel's notation
     * @param hasIpv6 whether its kernel has IPv6
     * @param profile the AppArmor profile for containers, if there is one
     * @param disk the disk of images, if they are on a block device
     * @param groups the version of its control groups
     */
    public record Machine(
            int cpus,
            String architecture,
            boolean hasIpv6,
            Optional<String> profile,
            Optional<Disk> disk,
            GroupsVersion groups) {}

    /** The version of control groups that a machine uses. */
    public enum GroupsVersion {
        /** One hierarchy for each controller. */
        ONE,
        /** One hierarchy. */
        TWO
    }

    /**
     * A disk of this machine.
     *
     * @param file its device file below /dev
     * @param major the major device number
     * @param minor the minor device number
     */
    public record Disk(Path file, long major, long minor) {}

    /**
     * The paths of a sandbox.
     *
     * @param root the folder of its root, relative to the configuration's folder
     * @param group the path of its control group
     * @param annotations shown in lists of the runtime's containers
     * @param files files of this machine to bind over the sandbox's, by path in the sandbox
     */
    public record Place(String root, String group, Map<String, String> annotations, Map<String, Path> files) {
        public Place {
            annotations = Map.copyOf(annotations);
            files = Map.copyOf(files);
        }
    }

    /** @param config of the engine's driver, whose limits are these sandboxes', too */
    public RuntimeConfig(DockerDriverConfig config, Machine machine) {
        this.spec = new ContainerSpec(config, new Mount());
        this.machine = machine;
        SystemCallFilter filter = new SystemCallFilter();
        this.onSharedKernel = systemCalls(filter.profile(Isolation.CONTAINER));
        this.onOwnKernel = systemCalls(filter.profile(Isolation.GVISOR));
    }

    /** The configuration of a sandbox. Shares parts with other configurations, so it must not be modified. */
    public ObjectNode of(SandboxId sandbox, SandboxTemplate template, Place place) {
        EngineFacts facts = new EngineFacts(machine.cpus(), "linux", machine.architecture(), Set.of(), "");
        KernelFilesHostConfig walls =
                spec.walls(sandbox, template, facts, machine.disk().map(Disk::file), List.of());
        ObjectNode config = PlainJson.MAPPER.createObjectNode();
        config.put("ociVersion", SPECIFICATION);
        process(config.putObject("process"), walls);
        config.putObject("root").put("path", place.root()).put("readonly", walls.getReadonlyRootfs());
        config.put("hostname", SandboxHandle.HOST_NAME);
        mounts(config.putArray("mounts"), walls, place);
        ObjectNode annotations = config.putObject("annotations");
        new TreeMap<>(place.annotations()).forEach(annotations::put);
        linux(config.putObject("linux"), walls, template, place);
        return config;
    }

    /** The processor time of a run in each period, in the unit of the kernel's quotas. */
    public long cpuQuotaMicros(SandboxTemplate template) {
        return quotaMicros(ContainerSpec.nanoCpus(template.limits(), machine.cpus()));
    }

    /**
     * What a sandbox's limits come to in its configuration, as far as a running sandbox can be given others: the
     * configurations of two templates with the same {@link #waiting} differ in these only.
     *
     * @param memoryBytes of its control group
     * @param pids of its control group
     * @param openFiles of each process
     * @param diskBytes the size of each writable place
     * @param inodes the number of files and folders in each writable place
     * @param sharedMemoryBytes the size of /dev/shm
     */
    public record Sizes(
            long memoryBytes, long pids, long openFiles, long diskBytes, long inodes, long sharedMemoryBytes) {}

    /** What the template's limits come to. */
    public Sizes sizes(SandboxTemplate template) {
        Limits limits = template.limits();
        return new Sizes(
                ContainerSpec.memoryBytes(template, machine.cpus()),
                ContainerSpec.pids(template, machine.cpus()),
                ContainerSpec.openFiles(limits),
                Limit.DISK.amountIn(limits),
                ContainerSpec.inodes(limits),
                Limit.SHARED_MEMORY.amountIn(limits));
    }

    /**
     * The template with which a sandbox waits for one with this template. The limits that no runtime enforces do not matter; on
     * the node's kernel those do not either that can be changed from outside. A kernel of its own keeps its file systems and
     * tables to itself.
     */
    public static SandboxTemplate waiting(SandboxTemplate wanted) {
        Limits limits = Limits.SMALLEST.with(Limit.CPU, WAITING_CPU);
        if (wanted.isolation().hasOwnKernel()) {
            for (Limit<?> inside : INSIDE_AN_OWN_KERNEL) {
                limits = keep(limits, inside, wanted.limits());
            }
        }
        return new SandboxTemplate(wanted.image(), wanted.isolation(), limits, Optional.empty());
    }

    private static <T extends Comparable<T>> Limits keep(Limits limits, Limit<T> kept, Limits wanted) {
        return limits.with(kept, wanted.get(kept));
    }

    private static long quotaMicros(long nanoCpus) {
        return nanoCpus * CPU_PERIOD_MICROS / ContainerSpec.NANO_CPUS_PER_CPU;
    }

    private void process(ObjectNode process, KernelFilesHostConfig walls) {
        process.put("terminal", false);
        process.putObject("user").put("uid", 0).put("gid", 0).put("umask", UMASK);
        process.putArray("args").add(GuestVolume.PROGRAM_PATH);
        process.putArray("env")
                .add("PATH=" + AgentAccount.PATH)
                .add("HOSTNAME=" + SandboxHandle.HOST_NAME)
                .add("HOME=/root");
        process.put("cwd", "/");
        ObjectNode capabilities = process.putObject("capabilities");
        for (String set : List.of("bounding", "effective", "permitted")) {
            ArrayNode names = capabilities.putArray(set);
            for (Capability capability : Objects.requireNonNull(walls.getCapAdd())) {
                names.add("CAP_" + capability.name());
            }
        }
        capabilities.putArray("inheritable");
        capabilities.putArray("ambient");
        ArrayNode limits = process.putArray("rlimits");
        for (Ulimit limit : Objects.requireNonNull(walls.getUlimits())) {
            limits.addObject()
                    .put("type", "RLIMIT_" + limit.getName().toUpperCase(Locale.ROOT))
                    .put("hard", limit.getHardLong())
                    .put("soft", limit.getSoftLong());
        }
        process.put(
                "noNewPrivileges",
                Objects.requireNonNull(walls.getSecurityOpts()).contains("no-new-privileges:true"));
        process.put("oomScoreAdj", Objects.requireNonNull(walls.getOomScoreAdj()));
        machine.profile().ifPresent(profile -> process.put("apparmorProfile", profile));
    }

    private void mounts(ArrayNode mounts, KernelFilesHostConfig walls, Place place) {
        mount(mounts, "/proc", "proc", "nosuid,noexec,nodev");
        mount(mounts, "/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
        mount(mounts, "/dev/pts", "devpts", "newinstance," + terminals(walls));
        mount(mounts, "/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=" + walls.getShmSize());
        mount(mounts, "/dev/mqueue", "mqueue", "nosuid,noexec,nodev");
        mount(mounts, "/sys", "sysfs", "nosuid,noexec,nodev,ro");
        if (machine.groups() == GroupsVersion.TWO) {
            // For version 1, crun mounts a file system there that every process in the sandbox may write to.
            mount(mounts, "/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro");
        }
        new TreeMap<>(Objects.requireNonNull(walls.getTmpFs()))
                .forEach((target, options) -> mount(mounts, target, "tmpfs", options));
        new TreeMap<>(place.files())
                .forEach((target, file) -> mount(mounts, target, FILE, file.toString(), "rbind,ro"));
    }

    private static void mount(ArrayNode mounts, String target, String type, String options) {
        mount(mounts, target, type, type, options);
    }

    private static void mount(ArrayNode mounts, String target, String type, String source, String options) {
        ObjectNode mount = mounts.addObject();
        mount.put("destination", target).put("type", type).put("source", source);
        Arrays.stream(options.split(",", -1)).forEach(mount.putArray("options")::add);
    }

    /** The mount options of the sandbox's devpts, from the engine's volume for it; gVisor's are the default, as it has no volume. */
    private static String terminals(KernelFilesHostConfig walls) {
        return Stream.ofNullable(walls.getMounts())
                .flatMap(Collection::stream)
                .filter(mount -> "/dev/pts".equals(mount.getTarget()) && mount.getVolumeOptions() != null)
                .map(mount -> Objects.requireNonNull(mount.getVolumeOptions()).getDriverConfig())
                .filter(Objects::nonNull)
                .map(Driver::getOptions)
                .filter(Objects::nonNull)
                .map(options -> options.getOrDefault("o", ""))
                .findFirst()
                .orElse("nosuid,noexec,gid=5,mode=620,ptmxmode=666");
    }

    private void linux(ObjectNode linux, KernelFilesHostConfig walls, SandboxTemplate template, Place place) {
        linux.put("cgroupsPath", place.group());
        resources(linux.putObject("resources"), walls);
        ArrayNode namespaces = linux.putArray("namespaces");
        for (String type : List.of("pid", "ipc", "uts", "mount", "cgroup")) {
            namespaces.addObject().put("type", type);
        }
        ObjectNode network = namespaces.addObject().put("type", "network");
        if (template.isolation().hasOwnKernel()) {
            // gVisor does not bring up the loopback of a new network namespace, so the launcher creates one with it up.
            network.put("path", "/proc/self/ns/net");
        } else {
            settings(linux.putObject("sysctl"), walls);
        }
        walls.maskedPaths().forEach(linux.putArray("maskedPaths")::add);
        walls.readOnlyPaths().forEach(linux.putArray("readonlyPaths")::add);
        linux.set("seccomp", template.isolation().hasOwnKernel() ? onOwnKernel : onSharedKernel);
    }

    private void settings(ObjectNode sysctl, KernelFilesHostConfig walls) {
        Map<String, String> all = new TreeMap<>(SETTINGS);
        all.putAll(Objects.requireNonNull(walls.getSysctls()));
        if (machine.hasIpv6()) {
            all.put(NO_IPV6_ON_LINKS, "1");
        }
        all.forEach(sysctl::put);
    }

    private void resources(ObjectNode resources, KernelFilesHostConfig walls) {
        ArrayNode devices = resources.putArray("devices");
        devices.addObject().put("allow", false).put("access", "rwm");
        for (int[] device : DEVICES) {
            device(devices, device[0]).put("minor", device[1]);
        }
        device(devices, TERMINALS);
        resources
                .putObject("memory")
                .put("limit", walls.getMemory())
                .put("swap", walls.getMemorySwap())
                .put("disableOOMKiller", walls.getOomKillDisable());
        resources.putObject("pids").put("limit", walls.getPidsLimit());
        share(resources, "throttleReadBpsDevice", walls.getBlkioDeviceReadBps());
        share(resources, "throttleWriteBpsDevice", walls.getBlkioDeviceWriteBps());
        share(resources, "throttleReadIOPSDevice", walls.getBlkioDeviceReadIOps());
        share(resources, "throttleWriteIOPSDevice", walls.getBlkioDeviceWriteIOps());
        resources
                .putObject("cpu")
                .put("period", CPU_PERIOD_MICROS)
                .put(
                        "quota",
                        quotaMicros(Math.max(
                                Objects.requireNonNull(walls.getNanoCPUs()), ContainerSpec.NANO_CPUS_PER_CPU)));
    }

    private void share(ObjectNode resources, String name, @Nullable List<BlkioRateDevice> rates) {
        if (rates == null || rates.isEmpty()) {
            return;
        }
        ArrayNode throttles = resources.withObject("/blockIO").putArray(name);
        machine.disk()
                .ifPresent(disk -> rates.forEach(rate -> throttles
                        .addObject()
                        .put("major", disk.major())
                        .put("minor", disk.minor())
                        .put("rate", rate.getRate())));
    }

    private static ObjectNode device(ArrayNode devices, int major) {
        return devices.addObject()
                .put("allow", true)
                .put("type", "c")
                .put("major", major)
                .put("access", "rwm");
    }

    /** The engine's format names architectures in pairs, and comments each rule. */
    private ObjectNode systemCalls(JsonNode profile) {
        ObjectNode seccomp = PlainJson.MAPPER.createObjectNode();
        seccomp.set("defaultAction", profile.path("defaultAction"));
        String own = "SCMP_ARCH_" + machine.architecture().toUpperCase(Locale.ROOT);
        seccomp.putArray("architectures").add(own);
        ArrayNode rules = seccomp.putArray("syscalls");
        for (JsonNode rule : profile.path("syscalls")) {
            ObjectNode copy = rules.addObject();
            for (String field : List.of("names", "action", "errnoRet", "args")) {
                if (rule.has(field)) {
                    copy.set(field, rule.get(field));
                }
            }
        }
        return seccomp;
    }
}
