package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.docker.KernelView.MountLine;
import dev.vivarium.node.driver.linux.CgroupFormat;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.node.driver.oci.OciSupport;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Compares the isolation of a sandbox created without the engine with that of the engine's sandbox of the same template,
 * as the kernel sees both: what LiveProcessesTest, LiveMountsTest and LiveControlGroupTest check for the latter then holds
 * for the former. Each difference is listed here.
 */
class WallsWithoutTheEngineTest {
    private static final String[] CREDENTIALS = {
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
        "Umask",
        "Threads",
        "SigBlk",
        "SigIgn"
    };

    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final RecordingListener heard = new RecordingListener();
    private InspectedSandbox engines;
    private SandboxDriver driver;
    private SandboxHandle made;
    private KernelView guest;
    private KernelView agent;

    @BeforeEach
    void start() {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
        engines = InspectedSandbox.start(sandboxes);
        driver = open("test-" + UlidCreator.getUlid().toLowerCase());
        SandboxId id = TestSandboxes.newId();
        Purpose forAttempt = new Purpose.ForAttempt(
                new AttemptName(new RunId(TestSandboxes.newId().value()), 1));
        made = TestSandboxes.outcome(driver.create(id, InspectedSandbox.TEMPLATE, forAttempt, heard));
        heard.confirmOn(made.channel());
        TestSandboxes.Live live = new TestSandboxes.Live(id, made.channel(), heard);
        live.start(1, "cat");
        made.channel().send(new NodeFrame.Stdin(1, Blob.ofUtf8("ready")));
        heard.await(GuestFrame.Output.class);
        guest = new KernelView(made.initProcess().orElseThrow().pid());
        agent = guest.onlyChild();
    }

    private SandboxDriver open(String installation) {
        OciDriverConfig config = OciDriverConfig.from(
                ConfigFactory.parseResources("oci-driver.conf"), TestSandboxes.config(installation, "node-1"));
        if (OciSupport.open(config, blocking, NodeClock.system()) instanceof OciSupport.Works works) {
            return works.driver();
        }
        throw new AssertionError("This machine has no OCI runtime that can be used.");
    }

    @AfterEach
    void destroy() {
        TestSandboxes.outcome(driver.destroy(made.id()));
        driver.close();
        blocking.shutdownNow();
        sandboxes.destroy(engines.live());
    }

    @Test
    void guestAndAgentHaveTheSamePrivilegesLimitsAndFolders() {
        assertThat(guest.status(CREDENTIALS)).isEqualTo(engines.guest().status(CREDENTIALS));
        assertThat(agent.status(CREDENTIALS)).isEqualTo(engines.agent().status(CREDENTIALS));
        String user = Integer.toString(made.id().agentUid());
        assertThat(agent.status("Uid", "Gid"))
                .isEqualTo(new TreeMap<>(Map.of(
                        "Uid", String.join(" ", user, user, user, user),
                        "Gid", String.join(" ", user, user, user, user))));
        // Limits kept by control groups or by the size of mounts are inherited from whatever started each of the two.
        for (String limit : List.of(
                "core file size",
                "open files",
                "locked memory",
                "msgqueue size",
                "pending signals",
                "nice priority",
                "realtime priority")) {
            assertThat(guest.limits().get(limit))
                    .as(limit)
                    .isEqualTo(engines.guest().limits().get(limit));
            assertThat(agent.limits().get(limit))
                    .as(limit)
                    .isEqualTo(engines.agent().limits().get(limit));
        }
        for (String file : List.of("oom_score_adj", "cmdline")) {
            assertThat(guest.text(file)).isEqualTo(engines.guest().text(file));
            assertThat(agent.text(file)).isEqualTo(engines.agent().text(file));
        }
        assertThat(guest.strings("environ"))
                .containsExactlyInAnyOrderElementsOf(engines.guest().strings("environ"));
        assertThat(agent.strings("environ"))
                .containsExactlyInAnyOrderElementsOf(engines.agent().strings("environ"));
        assertThat(agent.scheduling()).isEqualTo(engines.agent().scheduling());
        assertThat(agent.descriptors()).isEqualTo(engines.agent().descriptors());
        assertThat(guest.link("root")).isEqualTo("/");
        assertThat(guest.link("cwd")).isEqualTo("/");
    }

    /** One socket for both directions, where the engine uses two pipes. */
    @Test
    void theGuestHasItsChannelOpenAndNoDescriptorOfTheLauncher() {
        SortedMap<Integer, String> descriptors = guest.descriptors();

        assertThat(descriptors.get(0)).matches("socket:\\[\\d+] rw").isEqualTo(descriptors.get(1));
        assertThat(descriptors.get(2)).isEqualTo("pipe w");
        assertThat(descriptors.tailMap(3).values())
                .containsExactlyInAnyOrderElementsOf(
                        engines.guest().descriptors().tailMap(3).values());
    }

    @Test
    void everyNamespaceButUserAndTimeIsTheSandboxesOwn() {
        SortedMap<String, String> host = KernelView.ofHost().namespaces();
        SortedMap<String, String> own = guest.namespaces();
        SortedMap<String, String> neighbours = engines.guest().namespaces();

        assertThat(agent.namespaces()).isEqualTo(own);
        for (String name : own.keySet()) {
            boolean shared = List.of("user", "time", "time_for_children").contains(name);
            assertThat(own.get(name).equals(host.get(name))).as(name).isEqualTo(shared);
            assertThat(own.get(name).equals(neighbours.get(name))).as(name).isEqualTo(shared);
        }
    }

    /**
     * The guest and two files of /etc are in the root file system, where the engine bind-mounts them; the third cannot be written
     * to, since a sandbox that waits gets its resolver later. Control groups of version 1 are not mounted. Each runtime masks paths in its own way.
     */
    @Test
    void theMountsAreTheSame() {
        SortedMap<String, String> mustBe = mounts(engines.agent());
        mustBe.keySet().removeAll(List.of("/.vivarium", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"));
        SortedMap<String, String> are = mounts(agent);
        assertThat(are.remove("/etc/resolv.conf")).startsWith("ro");

        assertThat(are).isEqualTo(mustBe);
        assertThat(agent.mounts()).noneMatch(MountLine::sharesWithOthers);
        List<String> devices = new ArrayList<>(agent.directory("/dev"));
        // A link to a masked path that crun adds.
        devices.remove("120777 0:0 0:0 core -> /proc/kcore");
        assertThat(devices).containsExactlyInAnyOrderElementsOf(engines.agent().directory("/dev"));
        assertThat(agent.directory("/dev/pts")).isEqualTo(engines.agent().directory("/dev/pts"));
        assertThat(agent.directory("/.vivarium")).singleElement().asString().endsWith(" vivarium-init");
    }

    /** What the kernel tells of each mount: a path in a file system, that one's type, source and options, and how full it is. */
    @Test
    void theMountTableNamesNothingOfTheMachine() {
        assertThat(agent.mounts()).allSatisfy(mount -> {
            assertThat(mount.type()).isIn("overlay", "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2");
            assertThat(mount.source()).doesNotContain("/");
            assertThat(mount.superOptions()).doesNotContain("/");
            if (mount.type().equals("tmpfs") && !mount.root().equals("/")) {
                assertThat(mount.root()).matches("/" + made.id().value() + "/(null|own-[a-z.-]+)");
            }
        });
    }

    @Test
    void theRootTellsNothingOfTheMachinesDisk() throws IOException {
        FileStore ofTheSandbox = Files.getFileStore(Path.of("/proc/" + agent.pid() + "/root/etc"));
        FileStore ofTheMachine = Files.getFileStore(Path.of("/run"));

        assertThat(ofTheSandbox.getTotalSpace()).isNotEqualTo(ofTheMachine.getTotalSpace());
        assertThat(ofTheSandbox.getTotalSpace()).isEqualTo(1L << 30);
    }

    @Test
    void theFilesOfEtcAreTheSame() {
        String user = Integer.toString(made.id().agentUid());
        String engines = Integer.toString(this.engines.live().id().agentUid());

        for (String path : List.of("hostname", "hosts", "resolv.conf", "passwd", "group")) {
            assertThat(agent.text("root/etc/" + path).replace(user, engines))
                    .as(path)
                    .isEqualTo(this.engines.agent().text("root/etc/" + path));
        }
    }

    @Test
    void theMachineLooksTheSame() {
        for (String path : HostMachine.read(Path.of("/")).files()) {
            if (!path.startsWith("/sys/fs/cgroup/")) {
                assertThat(agent.text("root" + path))
                        .as(path)
                        .isEqualTo(engines.agent().text("root" + path));
            }
        }
    }

    private static SortedMap<String, String> mounts(KernelView process) {
        SortedMap<String, String> mounts = new TreeMap<>();
        for (MountLine mount : process.mounts()) {
            boolean isKernels = mount.at().startsWith("/proc/") || mount.at().startsWith("/sys/");
            if (isKernels) {
                kernelFile(mount).ifPresent(what -> mounts.put(what, "hidden or read-only"));
            } else if (mount.at().equals("/")) {
                mounts.put("/", mount.options().startsWith("ro") ? "ro" : "rw");
            } else if (mount.at().startsWith("/etc/")) {
                // A file, on the machine's disk or in the launcher's memory.
                mounts.put(mount.at(), mount.options().replace(",relatime", ""));
            } else {
                String of = mount.type().equals("sysfs") ? "" : mount.superOptions();
                mounts.put(
                        mount.at(),
                        mount.options().replace(",relatime", "") + " " + mount.type() + " "
                                + of.replaceFirst(",inode64", "").replaceAll("[ug]id=\\d{6,}", "agent"));
            }
        }
        return mounts;
    }

    /** The mount over a kernel file; each is checked to keep nothing that is written to it. */
    private static Optional<String> kernelFile(MountLine mount) {
        if (mount.at().startsWith("/sys/fs/cgroup")) {
            return Optional.empty();
        }
        boolean isNull = mount.root().endsWith("/null");
        assertThat(isNull || mount.options().startsWith("ro"))
                .as(mount.toString())
                .isTrue();
        return Optional.of(mount.at());
    }

    @Test
    void theControlGroupsHaveTheSameLimits() throws IOException {
        int compared = 0;
        for (String file : List.of(
                "memory.limit_in_bytes",
                "memory.memsw.limit_in_bytes",
                "memory.kmem.tcp.limit_in_bytes",
                "memory.max",
                "memory.swap.max",
                "pids.max",
                "cpu.cfs_quota_us",
                "cpu.cfs_period_us",
                "cpu.max",
                "freezer.state")) {
            Path engine = group(engines.guest(), file);
            if (Files.exists(engine)) {
                assertThat(group(guest, file)).as(file).hasSameTextualContentAs(engine);
                compared++;
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(4);
        assertThat(agent.lines("cgroup")).isEqualTo(guest.lines("cgroup"));
        assertThat(guest.lines("cgroup").stream().filter(line -> line.contains(":memory:") || line.startsWith("0::")))
                .anyMatch(line -> line.endsWith("/" + made.id()));
    }

    private static Path group(KernelView process, String file) throws IOException {
        var mounted = CgroupFormat.hierarchies(Files.readAllLines(Path.of("/proc/mounts")));
        var memberships = CgroupFormat.memberships(process.lines("cgroup"));
        String controller = file.substring(0, file.indexOf('.'));
        String directory = CgroupFormat.directoryV1(mounted, memberships, controller)
                .or(() -> CgroupFormat.directoryV2(mounted, memberships))
                .orElseThrow();
        return Path.of(directory, file);
    }

    @Test
    void itHasOnlyALoopbackInterface() {
        assertThat(agent.lines("net/dev").stream().skip(2).map(line -> line.split(":", 2)[0].strip()))
                .containsExactly("lo");
        assertThat(agent.lines("net/route")).as("routes").hasSize(1);
        assertThat(agent.lines("net/if_inet6")).isEqualTo(engines.agent().lines("net/if_inet6"));
        TestSandboxes.Live live = new TestSandboxes.Live(made.id(), made.channel(), heard);
        String answer = live.python(
                2,
                """
                import socket
                server = socket.create_server(('127.0.0.1', 80))
                client = socket.create_connection(('localhost', 80))
                print(socket.gethostname(), socket.gethostbyname('sandbox'), open('/etc/resolv.conf').read().split())
                """);
        assertThat(answer).isEqualTo("sandbox 127.0.0.1 ['nameserver', '127.0.0.1']");
    }
}
