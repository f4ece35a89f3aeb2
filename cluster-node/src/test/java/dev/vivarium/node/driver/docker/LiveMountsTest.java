package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.docker.KernelView.MountLine;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.node.driver.linux.VisibleKernelFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every mount and every device of a live sandbox as the host's kernel shows them. */
class LiveMountsTest {
    private static final String KERNEL_FILES = "nosuid,nodev,noexec,relatime";
    private static final Pattern IN_THE_ENGINE = Pattern.compile(".*/(volumes/.*|containers/.*)");

    private static final List<String> READ_ONLY = List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys");

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

    @Test
    void theseAreAllMounts() {
        int agent = sandbox.live().id().agentUid();
        List<String> mustBe = new ArrayList<>(List.of(
                "/ ro,relatime root",
                "/.vivarium ro,relatime volumes/<guest>/_data",
                "/etc/passwd ro,relatime volumes/<guest>/_data/<sandbox>-etc-passwd",
                "/etc/group ro,relatime volumes/<guest>/_data/<sandbox>-etc-group",
                "/etc/hostname ro,relatime containers/<id>/hostname",
                "/etc/hosts ro,relatime containers/<id>/hosts",
                "/etc/resolv.conf ro,relatime containers/<id>/resolv.conf",
                "/dev rw,nosuid tmpfs rw,size=65536k,mode=755",
                "/dev/pts rw,nosuid,noexec,relatime devpts rw,gid=5,mode=620,ptmxmode=666,max=12",
                "/dev/mqueue rw," + KERNEL_FILES + " mqueue rw",
                "/dev/shm rw," + KERNEL_FILES + " tmpfs rw,size=65536k",
                "/tmp rw,nosuid,nodev,relatime tmpfs rw,size=16384k,nr_inodes=2048",
                "/workspace rw,nosuid,nodev,relatime tmpfs rw,size=16384k,nr_inodes=2048,mode=700,uid=" + agent
                        + ",gid=" + agent,
                "/proc rw," + KERNEL_FILES + " proc rw",
                "/sys ro," + KERNEL_FILES + " sysfs ro"));
        mustBe.addAll(controlGroups());
        HostMachine.read(Path.of("/"))
                .files()
                .forEach(path ->
                        mustBe.add(path + " ro,relatime volumes/<guest>/_data/<sandbox>" + path.replace('/', '-')));
        present(READ_ONLY)
                .forEach(path ->
                        mustBe.add(path + " ro," + KERNEL_FILES + " proc" + path.substring("/proc".length()) + " rw"));
        present(VisibleKernelFiles.hidden(Path.of("/")))
                .forEach(path -> mustBe.add(path
                        + (Files.isDirectory(Path.of(path))
                                ? " ro,relatime tmpfs ro"
                                : " rw,nosuid tmpfs/null rw,size=65536k,mode=755")));

        assertThat(sandbox.agent().mounts().stream().map(this::line)).containsExactlyInAnyOrderElementsOf(mustBe);
    }

    @Test
    void noMountPropagatesToTheHost() {
        assertThat(sandbox.agent().mounts()).noneMatch(MountLine::sharesWithOthers);
    }

    @Test
    void theseAreAllDevices() {
        assertThat(sandbox.agent().directory("/dev"))
                .containsExactlyInAnyOrder(
                        "120777 0:0 0:0 fd -> /proc/self/fd",
                        "120777 0:0 0:0 stdin -> /proc/self/fd/0",
                        "120777 0:0 0:0 stdout -> /proc/self/fd/1",
                        "120777 0:0 0:0 stderr -> /proc/self/fd/2",
                        "120777 0:0 0:0 ptmx -> pts/ptmx",
                        "20666 0:0 1:3 null",
                        "20666 0:0 1:5 zero",
                        "20666 0:0 1:7 full",
                        "20666 0:0 1:8 random",
                        "20666 0:0 1:9 urandom",
                        "20666 0:0 5:0 tty",
                        "40755 0:0 0:0 pts",
                        "41777 0:0 0:0 mqueue",
                        "41777 0:0 0:0 shm");
        assertThat(sandbox.agent().directory("/dev/pts")).containsExactly("20666 0:0 5:2 ptmx");
        assertThat(sandbox.agent().directory("/dev/mqueue")).isEmpty();
        assertThat(sandbox.agent().directory("/dev/shm")).isEmpty();
    }

    /** The sandbox's control groups, read-only: one per hierarchy in version 1, a single one in version 2. */
    private List<String> controlGroups() {
        List<String> mounts = new ArrayList<>();
        if (Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"))) {
            mounts.add("/sys/fs/cgroup ro," + KERNEL_FILES + " cgroup2");
            return mounts;
        }
        // Only the guest may write here, and there is nothing to write.
        mounts.add("/sys/fs/cgroup rw," + KERNEL_FILES + " tmpfs rw,mode=755");
        for (String line : sandbox.guest().lines("cgroup")) {
            String controllers = line.split(":", 3)[1];
            if (!controllers.isEmpty()) {
                String name = controllers.replace("name=", "");
                mounts.add("/sys/fs/cgroup/" + name + " ro," + KERNEL_FILES + " cgroup/<group> rw," + controllers);
            }
        }
        return mounts;
    }

    /**
     * A mount in one line, without what differs between hosts: types and options of the host's file systems and control
     * groups, and the kernel's inode options.
     */
    private String line(MountLine mount) {
        String root = mount.root().equals("/") ? "" : mount.root();
        Matcher ofTheEngine = IN_THE_ENGINE.matcher(root);
        String what = mount.type() + root + " " + mount.superOptions();
        if (mount.at().equals("/")) {
            what = "root";
        } else if (ofTheEngine.matches()) {
            what = ofTheEngine
                    .group(1)
                    .replaceFirst("^volumes/vivarium-guest-[0-9a-f]{16}/", "volumes/<guest>/")
                    .replace(sandbox.live().id().value(), "<sandbox>")
                    // The source is deleted once the sandbox has started.
                    .replace("//deleted", "");
        } else if (mount.type().equals("cgroup")) {
            what = what.replaceFirst("/\\S*" + sandbox.container(), "/<group>").replace("xattr,", "");
        } else if (mount.type().equals("cgroup2")) {
            what = mount.type() + root;
        } else if (mount.type().equals("tmpfs")) {
            what = what.replace(",inode64", "");
        }
        return mount.at() + " " + mount.options() + " " + what.replace(sandbox.container(), "<id>");
    }

    private static List<String> present(List<String> paths) {
        return paths.stream().filter(path -> Files.exists(Path.of(path))).toList();
    }
}
