package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of /proc and /sys that sandboxes see: an allowlist, so that other files, including those of future kernels,
 * stay hidden. The listed files are about the sandbox itself, or are what programs need to know of a machine:
 * processors, memory, kernel version. Not listed are disks, buses, devices, identifiers, other processes, and
 * machine-wide counters that programs do not need.
 *
 * <p>Runtimes take a list of paths to hide, so that list is derived from what this machine's kernel shows.
 */
public final class VisibleKernelFiles {
    private static final Logger LOG = LoggerFactory.getLogger(VisibleKernelFiles.class);
    private static final Pattern PROCESS = Pattern.compile("/proc/[0-9]+");
    private static final Pattern PROCESSOR = Pattern.compile("/sys/devices/system/cpu/cpu[0-9]+");

    private static final Set<String> VISIBLE = Set.of(
            // About the calling process or the sandbox.
            "/proc/mounts",
            "/proc/net",
            "/proc/self",
            "/proc/sysvipc",
            "/proc/thread-self",
            // The kernel, control groups and file systems: language runtimes read them (Java, .NET, Go).
            "/proc/cgroups",
            "/proc/filesystems",
            "/proc/version",
            // Processors and memory: VisibleMachine's where files can be bound, otherwise this machine's.
            "/proc/cpuinfo",
            "/proc/loadavg",
            "/proc/meminfo",
            "/proc/stat",
            // The times in /proc/self count from the machine's start.
            "/proc/uptime",
            // Kernel settings, except those hidden below.
            "/proc/sys",
            "/sys/class/net",
            // Which there are and what they can do; beside them are counters of their idle states and their weak
            // points.
            "/sys/devices/system/cpu/isolated",
            "/sys/devices/system/cpu/kernel_max",
            "/sys/devices/system/cpu/modalias",
            "/sys/devices/system/cpu/offline",
            "/sys/devices/system/cpu/online",
            "/sys/devices/system/cpu/possible",
            "/sys/devices/system/cpu/power",
            "/sys/devices/system/cpu/present",
            "/sys/devices/system/cpu/uevent",
            "/sys/devices/virtual/net",
            "/sys/fs/cgroup");

    /**
     * Among the settings: an identifier of the machine, machine-wide counters, and what the kernel derives from its memory
     * and processors. Files only, since crun masks a folder below a read-only one with a mount that can be written.
     */
    private static final List<String> HIDDEN_SETTINGS = List.of(
            "/proc/sys/fs/aio-nr",
            "/proc/sys/fs/dentry-state",
            "/proc/sys/fs/epoll/max_user_watches",
            "/proc/sys/fs/fanotify/max_user_marks",
            "/proc/sys/fs/file-max",
            "/proc/sys/fs/file-nr",
            "/proc/sys/fs/inode-nr",
            "/proc/sys/fs/inode-state",
            "/proc/sys/fs/inotify/max_user_watches",
            "/proc/sys/fs/quota/allocated_dquots",
            "/proc/sys/fs/quota/cache_hits",
            "/proc/sys/fs/quota/drops",
            "/proc/sys/fs/quota/free_dquots",
            "/proc/sys/fs/quota/lookups",
            "/proc/sys/fs/quota/reads",
            "/proc/sys/fs/quota/syncs",
            "/proc/sys/fs/quota/writes",
            "/proc/sys/kernel/pty/max",
            "/proc/sys/kernel/pty/nr",
            "/proc/sys/kernel/pty/reserve",
            "/proc/sys/kernel/random/boot_id",
            "/proc/sys/kernel/tainted",
            "/proc/sys/kernel/threads-max",
            "/proc/sys/kernel/watchdog_cpumask",
            "/proc/sys/net/ipv4/tcp_ehash_entries",
            "/proc/sys/net/ipv4/udp_hash_entries",
            "/proc/sys/net/netfilter/nf_conntrack_buckets",
            "/proc/sys/net/netfilter/nf_conntrack_max",
            "/proc/sys/user/max_cgroup_namespaces",
            "/proc/sys/user/max_fanotify_marks",
            "/proc/sys/user/max_inotify_watches",
            "/proc/sys/user/max_ipc_namespaces",
            "/proc/sys/user/max_mnt_namespaces",
            "/proc/sys/user/max_net_namespaces",
            "/proc/sys/user/max_pid_namespaces",
            "/proc/sys/user/max_time_namespaces",
            "/proc/sys/user/max_user_namespaces",
            "/proc/sys/user/max_uts_namespaces",
            "/proc/sys/vm/min_free_kbytes",
            "/proc/sys/vm/user_reserve_kbytes");

    /** Hidden whatever this machine's kernel shows, since the engine's machine may be another one and have them. */
    private static final List<String> HIDDEN_ANYWHERE = List.of(
            "/proc/acpi",
            "/proc/asound",
            "/proc/buddyinfo",
            "/proc/cmdline",
            "/proc/config.gz",
            "/proc/diskstats",
            "/proc/interrupts",
            "/proc/kallsyms",
            "/proc/kcore",
            "/proc/key-users",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/mdstat",
            "/proc/modules",
            "/proc/pagetypeinfo",
            "/proc/partitions",
            "/proc/pressure",
            "/proc/sched_debug",
            "/proc/schedstat",
            "/proc/scsi",
            "/proc/softirqs",
            "/proc/swaps",
            "/proc/sysrq-trigger",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/vmstat",
            "/proc/zoneinfo",
            "/sys/block",
            "/sys/devices/system/cpu/cpufreq",
            "/sys/devices/system/cpu/cpuidle",
            "/sys/devices/system/cpu/microcode",
            "/sys/devices/system/cpu/vulnerabilities",
            "/sys/devices/system/node",
            "/sys/devices/virtual/powercap",
            "/sys/firmware",
            "/sys/kernel",
            "/sys/module");

    private VisibleKernelFiles() {}

    /**
     * The paths to hide in sandboxes of this machine, sorted.
     *
     * @param root the root of the file system
     */
    public static List<String> hidden(Path root) {
        Set<String> hidden = new TreeSet<>(HIDDEN_ANYWHERE);
        hidden.addAll(HIDDEN_SETTINGS);
        hide(root, "/proc", hidden);
        hide(root, "/sys", hidden);
        return List.copyOf(hidden);
    }

    private static void hide(Path root, String folder, Set<String> hidden) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(folder.substring(1)))) {
            for (Path entry : entries) {
                String path = folder + "/" + entry.getFileName();
                if (VISIBLE.contains(path) || isNumbered(path) || Files.isSymbolicLink(entry)) {
                    continue;
                }
                if (VISIBLE.stream().anyMatch(visible -> visible.startsWith(path + "/"))) {
                    hide(root, path, hidden);
                } else {
                    hidden.add(path);
                }
            }
        } catch (IOException | DirectoryIteratorException unreadable) {
            LOG.warn(
                    "{} cannot be listed, so only what every kernel has is hidden in it: {}",
                    folder,
                    unreadable.toString());
        }
    }

    private static boolean isNumbered(String path) {
        return PROCESS.matcher(path).matches() || PROCESSOR.matcher(path).matches();
    }
}
