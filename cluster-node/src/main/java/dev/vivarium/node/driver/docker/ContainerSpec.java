package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Driver;
import com.github.dockerjava.api.model.HealthCheck;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.MountType;
import com.github.dockerjava.api.model.RestartPolicy;
import com.github.dockerjava.api.model.Ulimit;
import com.github.dockerjava.api.model.VolumeOptions;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.node.driver.linux.SystemCallFilter;
import dev.vivarium.node.driver.linux.VisibleKernelFiles;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A sandbox as a container: the only place where its restrictions are defined. A pure function of the template, the
 * configuration and the engine's size.
 */
final class ContainerSpec {
    /** The guest's program, buffers and page tables, and room for the runtime that starts it. */
    static final long GUEST_MEMORY_BYTES = 16L << 20;

    /**
     * When the machine runs out of memory, sandboxes are killed before the node and other programs, and inside a
     * sandbox the guest raises its agents' score above its own. No process can lower its score below this where the
     * engine has CAP_SYS_RESOURCE, and below 0 anywhere.
     */
    private static final int OOM_SCORE = 500;

    /** Otherwise the engine would reveal its machine's DNS servers and search domains. */
    private static final String NO_RESOLVER = "127.0.0.1";

    private static final String NO_DOMAIN = ".";

    private static final long NANO_CPUS_PER_MILLICORE = 1_000_000;
    static final long NANO_CPUS_PER_CPU = 1_000_000_000;
    /**
     * Too small for any core file, so none is written. It is also the one limit at which the kernel skips the host's
     * core_pattern program (core(5): 0 does not prevent a pipe). The system call filter keeps agents from changing it.
     */
    private static final long CORE_BYTES_MAX = 1;
    /**
     * Open files of the guest: several hundred for 64 processes and their pipes. It also bounds the limit of agents.
     * More is requested only when a run asks for it, since an engine with a lower hard limit may refuse.
     */
    private static final long OPEN_FILES_MIN = 4096;
    /** Enough to lock a key in memory. */
    private static final long LOCKED_BYTES_MAX = 64 << 10;
    /** For all queues of the user, and so of the sandbox: the kernel's default. */
    private static final long MESSAGE_QUEUE_BYTES_MAX = 819_200;
    /** Signals pending for all of the user's processes, including timers. */
    private static final long PENDING_SIGNALS_MAX = 1024;

    /**
     * Settings of the sandbox's own network namespace. Group memberships and ended connections use memory that no
     * control group counts; by default a socket may have 20 memberships, and the number of ended connections depends on
     * the machine's memory.
     */
    private static final Map<String, String> SETTINGS =
            Map.of("net.ipv4.igmp_max_memberships", "2", "net.ipv4.tcp_max_tw_buckets", "4096");

    /**
     * The engine writes ::1 into /etc/hosts but turns IPv6 off; servers on localhost bind both. Other links have no
     * IPv6.
     */
    private static final String NO_IPV6_ON_LOOPBACK = "net.ipv6.conf.lo.disable_ipv6";

    private static final Path IPV6 = Path.of("/proc/sys/net/ipv6/conf/lo");

    /**
     * Per sandbox, so that as many as a node takes as shipped (256) have no more than the kernel keeps for all containers together:
     * 3,072, its kernel.pty.max less its kernel.pty.reserve. Each takes some 50 KiB that no control group counts when its queues are
     * full.
     */
    private static final int TERMINALS_MAX = 12;

    /**
     * The kernel counts the terminals of all containers together, so each sandbox gets its own bounded devpts. The
     * engine's API can express that only as an anonymous volume, which is removed with its container.
     */
    private static final Mount TERMINALS = new Mount()
            .withType(MountType.VOLUME)
            .withTarget("/dev/pts")
            .withVolumeOptions(new VolumeOptions()
                    .withNoCopy(true)
                    .withDriverConfig(new Driver()
                            .withName("local")
                            .withOptions(Map.of(
                                    "type",
                                    "devpts",
                                    "device",
                                    "devpts",
                                    "o",
                                    "nosuid,noexec,gid=5,mode=620,ptmxmode=666,max=" + TERMINALS_MAX))));

    private final DockerDriverConfig config;
    private final Mount guest;
    private final SystemCallFilter filter = new SystemCallFilter();
    private final Map<String, String> settings;
    private final List<String> hidden = VisibleKernelFiles.hidden(Path.of("/"));

    ContainerSpec(DockerDriverConfig config, Mount guest) {
        this.config = config;
        this.guest = guest;
        this.settings = new HashMap<>(SETTINGS);
        // A kernel without IPv6 would refuse the container. For another machine that is unknown.
        if (EngineAddress.of(config.engine()).isLocal() && Files.isDirectory(IPV6)) {
            settings.put(NO_IPV6_ON_LOOPBACK, "0");
        }
    }

    /**
     * @param disk the disk of the engine's images, as far as sandboxes can have a share of it
     * @param bound the files that are the sandbox's alone
     */
    CreateContainerCmd applyTo(
            CreateContainerCmd create,
            SandboxId sandbox,
            SandboxTemplate template,
            EngineFacts facts,
            Optional<Path> disk,
            List<Mount> bound) {
        return create.withEntrypoint(List.of(GuestVolume.PROGRAM_PATH))
                .withCmd(List.of())
                .withUser("0:0")
                .withWorkingDir("/")
                .withHostName(SandboxHandle.HOST_NAME)
                .withStdinOpen(true)
                // Makes the engine close the sandbox's input when its only client disconnects: the dead-man's switch.
                .withStdInOnce(true)
                .withAttachStdin(true)
                .withAttachStdout(true)
                .withAttachStderr(true)
                .withTty(false)
                .withHealthcheck(new HealthCheck().withTest(List.of("NONE")))
                .withHostConfig(walls(sandbox, template, facts, disk, bound));
    }

    /** Its restrictions. */
    KernelFilesHostConfig walls(
            SandboxId sandbox, SandboxTemplate template, EngineFacts facts, Optional<Path> disk, List<Mount> bound) {
        KernelFilesHostConfig walls = new KernelFilesHostConfig(hidden);
        walls
                // The guest starts agents as another user, signals them, and drops all of these for them.
                .withCapDrop(Capability.ALL)
                .withCapAdd(Capability.SETUID, Capability.SETGID, Capability.KILL, Capability.SETPCAP)
                .withSecurityOpts(List.of("no-new-privileges:true", "seccomp=" + filter.json(template.isolation())))
                .withPrivileged(false)
                .withReadonlyRootfs(true)
                .withSysctls(settings)
                // The engine attaches no network; one with its filter is attached from outside, if any.
                .withNetworkMode("none")
                .withDns(template.resolver().orElse(NO_RESOLVER))
                .withDnsSearch(NO_DOMAIN)
                .withExtraHosts(SandboxHandle.HOST_NAME + ":127.0.0.1")
                .withIpcMode("private")
                .withCgroupnsMode("private")
                .withMounts(mounts(template, bound))
                .withTmpFs(tmpfs(sandbox, template))
                .withShmSize(Limit.SHARED_MEMORY.amountIn(template.limits()))
                .withUlimits(ulimits(template.limits()))
                .withOomKillDisable(false)
                .withOomScoreAdj(OOM_SCORE)
                .withLogConfig(new LogConfig(LogConfig.LoggingType.NONE))
                .withRestartPolicy(RestartPolicy.noRestart())
                // When the node dies, its sandboxes end by themselves; this also removes them.
                .withAutoRemove(true);
        limit(walls, template, facts);
        disk.ifPresent(images -> config.disk().applyTo(walls, images));
        String runtime = config.runtimes().get(template.isolation());
        if (runtime != null) {
            walls.withRuntime(runtime);
        }
        return walls;
    }

    /** gVisor implements terminals itself; a mounted devpts would replace them with the host's. */
    private List<Mount> mounts(SandboxTemplate template, List<Mount> bound) {
        List<Mount> all = new ArrayList<>(bound);
        all.add(guest);
        if (!template.isolation().hasOwnKernel()) {
            all.add(TERMINALS);
        }
        return List.copyOf(all);
    }

    /**
     * Resource limits of each process that no control group covers, or that would give it more than its share. Set even
     * where they equal the kernel's defaults, because the engine's defaults depend on how it was started.
     */
    private static List<Ulimit> ulimits(Limits limits) {
        return List.of(
                limit("nofile", openFiles(limits)),
                limit("core", CORE_BYTES_MAX),
                limit("memlock", LOCKED_BYTES_MAX),
                limit("msgqueue", MESSAGE_QUEUE_BYTES_MAX),
                limit("sigpending", PENDING_SIGNALS_MAX),
                limit("nice", 0),
                limit("rtprio", 0));
    }

    static long openFiles(Limits limits) {
        return Math.max(OPEN_FILES_MIN, limits.get(Limit.OPEN_FILES));
    }

    private static Ulimit limit(String name, long most) {
        return new Ulimit(name, most, most);
    }

    private static void limit(HostConfig walls, SandboxTemplate template, EngineFacts facts) {
        long memoryBytes = memoryBytes(template, facts.cpus());
        walls.withMemory(memoryBytes)
                .withMemorySwap(memoryBytes)
                .withNanoCPUs(nanoCpus(template.limits(), facts.cpus()))
                .withPidsLimit(pids(template, facts.cpus()));
    }

    /** The memory of all that is in the sandbox. */
    static long memoryBytes(SandboxTemplate template, int cpus) {
        Limits limits = template.limits();
        return Math.addExact(
                Math.addExact(Limit.MEMORY.amountIn(limits), Limit.DISK.amountIn(limits)),
                GUEST_MEMORY_BYTES + RuntimeOverhead.of(template, cpus).memoryBytes());
    }

    /** The processes and threads of all that is in the sandbox. */
    static long pids(SandboxTemplate template, int cpus) {
        return template.limits().get(Limit.PIDS)
                + RuntimeOverhead.GUEST_PIDS
                + RuntimeOverhead.of(template, cpus).pids();
    }

    /** The share of a run; an engine refuses one above its machine's processors, and the maximum means the same. */
    static long nanoCpus(Limits limits, int cpus) {
        return Math.min(
                Math.multiplyExact(Limit.CPU.amountIn(limits), NANO_CPUS_PER_MILLICORE), cpus * NANO_CPUS_PER_CPU);
    }

    /** The root of each file system takes an inode, too. */
    static long inodes(Limits limits) {
        return limits.get(Limit.FILES) + 1;
    }

    /** gVisor has no inode limit, so there the guest counts. */
    private static Map<String, String> tmpfs(SandboxId sandbox, SandboxTemplate template) {
        Limits limits = template.limits();
        String common = "rw,exec,nosuid,nodev,size=" + Limit.DISK.amountIn(limits) + ",nr_inodes=" + inodes(limits);
        return Map.of(
                "/workspace",
                common + ",mode=0700,uid=" + sandbox.agentUid() + ",gid=" + sandbox.agentUid(),
                "/tmp",
                common + ",mode=1777");
    }
}
