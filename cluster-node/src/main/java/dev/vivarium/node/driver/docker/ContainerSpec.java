package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HealthCheck;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.api.model.Mount;
import com.github.dockerjava.api.model.RestartPolicy;
import com.github.dockerjava.api.model.Ulimit;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import dev.vivarium.node.driver.linux.SystemCallFilter;
import java.util.List;
import java.util.Map;

/**
 * What a sandbox is to the engine: the one place where its walls are written down. A pure function of the template, the
 * configuration and the engine's size.
 */
final class ContainerSpec {
    /** The guest's own: its program, its buffers, its page tables; and room for the runtime that starts it. */
    static final long GUEST_MEMORY_BYTES = 16L << 20;

    /**
     * When the whole machine is out of memory, sandboxes go before the node and everybody else. The guest lets its agents
     * go before itself; none may lower its own below this where the engine has CAP_SYS_RESOURCE, and below 0 anywhere.
     */
    private static final int OOM_SCORE = 500;

    /** Otherwise the engine would tell whom its own machine asks, and the domains that it searches. */
    private static final String NOBODY = "127.0.0.1";

    private static final String NO_DOMAIN = ".";

    private static final long NANO_CPUS_PER_MILLICORE = 1_000_000;
    private static final long NANO_CPUS_PER_CPU = 1_000_000_000;
    /** Each process. More would be refused by engines whose own hard limit is lower, as in unprivileged machines. */
    private static final long OPEN_FILES_MAX = 4096;
    /** Enough to keep a key from being swapped out, which nothing is anyway. */
    private static final long LOCKED_BYTES_MAX = 64 << 10;
    /** Of all of the user's queues, and so of the sandbox's: the kernel's own default. */
    private static final long MESSAGE_QUEUE_BYTES_MAX = 819_200;
    /** Queued to all of the user's processes, timers among them. */
    private static final long PENDING_SIGNALS_MAX = 1024;

    /**
     * Of each process: what no control group bounds, or what would give it more than its share. Said even where the kernel's
     * own defaults are no higher, because the engine's are whatever it was started with.
     */
    private static final List<Ulimit> ULIMITS = List.of(
            limit("nofile", OPEN_FILES_MAX),
            limit("core", 0),
            limit("memlock", LOCKED_BYTES_MAX),
            limit("msgqueue", MESSAGE_QUEUE_BYTES_MAX),
            limit("sigpending", PENDING_SIGNALS_MAX),
            limit("nice", 0),
            limit("rtprio", 0));

    private final DockerDriverConfig config;
    private final Mount guest;
    private final SystemCallFilter filter = new SystemCallFilter();

    ContainerSpec(DockerDriverConfig config, Mount guest) {
        this.config = config;
        this.guest = guest;
    }

    CreateContainerCmd applyTo(
            CreateContainerCmd create, SandboxId sandbox, SandboxTemplate template, EngineFacts facts) {
        return create.withEntrypoint(List.of(GuestVolume.PROGRAM_PATH))
                .withCmd(List.of())
                .withUser("0:0")
                .withWorkingDir("/")
                .withHostName("sandbox")
                .withStdinOpen(true)
                // With this the engine ends the sandbox's input when its one client goes away: the dead-man's switch.
                .withStdInOnce(true)
                .withAttachStdin(true)
                .withAttachStdout(true)
                .withAttachStderr(true)
                .withTty(false)
                .withHealthcheck(new HealthCheck().withTest(List.of("NONE")))
                .withHostConfig(walls(sandbox, template, facts));
    }

    private HostConfig walls(SandboxId sandbox, SandboxTemplate template, EngineFacts facts) {
        HostConfig walls = new KernelFilesHostConfig()
                // The guest starts agents as another user, signals them, and drops all of these for them.
                .withCapDrop(Capability.ALL)
                .withCapAdd(Capability.SETUID, Capability.SETGID, Capability.KILL, Capability.SETPCAP)
                .withSecurityOpts(List.of("no-new-privileges:true", "seccomp=" + filter.json(template.isolation())))
                .withPrivileged(false)
                .withReadonlyRootfs(true)
                // The engine gives none; a network comes from outside, with its filter, when there is to be one.
                .withNetworkMode("none")
                .withDns(template.resolver().orElse(NOBODY))
                .withDnsSearch(NO_DOMAIN)
                .withIpcMode("private")
                .withCgroupnsMode("private")
                .withMounts(List.of(guest))
                .withTmpFs(tmpfs(sandbox, template))
                .withShmSize(config.sharedMemory().bytes())
                .withUlimits(ULIMITS)
                .withOomKillDisable(false)
                .withOomScoreAdj(OOM_SCORE)
                .withLogConfig(new LogConfig(LogConfig.LoggingType.NONE))
                .withRestartPolicy(RestartPolicy.noRestart())
                // A sandbox whose node is dead ends by itself and must vanish by itself too.
                .withAutoRemove(true);
        limit(walls, template, facts);
        String runtime = config.runtimes().get(template.isolation());
        return runtime == null ? walls : walls.withRuntime(runtime);
    }

    private static Ulimit limit(String name, long most) {
        return new Ulimit(name, most, most);
    }

    private static void limit(HostConfig walls, SandboxTemplate template, EngineFacts facts) {
        RuntimeOverhead upkeep = RuntimeOverhead.of(template, facts.cpus());
        long memoryBytes = Math.addExact(
                Math.addExact(template.memory().bytes(), template.disk().bytes()),
                GUEST_MEMORY_BYTES + upkeep.memoryBytes());
        // The engine refuses a quota above what its machine has; it means the same as all that there is.
        long nanoCpus = Math.min(
                Math.multiplyExact(template.cpu().millicores(), NANO_CPUS_PER_MILLICORE),
                facts.cpus() * NANO_CPUS_PER_CPU);
        walls.withMemory(memoryBytes)
                .withMemorySwap(memoryBytes)
                .withNanoCPUs(nanoCpus)
                .withPidsLimit(template.pids() + RuntimeOverhead.GUEST_PIDS + upkeep.pids());
    }

    /** The root of each place is a folder too, and nobody's file. gVisor takes no number of files: there the guest counts. */
    private static Map<String, String> tmpfs(SandboxId sandbox, SandboxTemplate template) {
        String common = "rw,exec,nosuid,nodev,size=" + template.disk().bytes() + ",nr_inodes=" + (template.files() + 1);
        return Map.of(
                "/workspace",
                common + ",mode=0700,uid=" + sandbox.agentUid() + ",gid=" + sandbox.agentUid(),
                "/tmp",
                common + ",mode=1777");
    }
}
