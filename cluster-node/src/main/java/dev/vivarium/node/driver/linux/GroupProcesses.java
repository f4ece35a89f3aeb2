package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The processes of one sandbox's control group and their CPU quota: what is needed to start and end them quickly.
 *
 * <p>A sandbox starts with more than its share, which is set once it has started. A killed process has to run once more to exit. With a quota of a hundredth of a processor, a hundred busy
 * processes took seconds to end after SIGKILL, and the guest, a member of the group, took as long to send it. So the
 * quota is lifted first, and the node sends the signals itself.
 *
 * @param processes the kernel's list of them
 * @param quota the file with the CPU quota
 * @param unbounded the content of that file for no quota
 */
public record GroupProcesses(Path proc, Path processes, Path quota, String unbounded) {
    private static final Logger LOG = LoggerFactory.getLogger(GroupProcesses.class);
    /** Processes forked meanwhile are found in the next round; after the last, the guest continues. */
    private static final int ROUNDS_MAX = 10;

    /**
     * Finds the group of a process of this machine.
     *
     * @param proc the proc file system
     * @param mark must be part of the group's path
     * @return empty when the group is not visible here
     */
    public static Optional<GroupProcesses> of(Path proc, long pid, String mark) {
        return GroupsOfProcess.of(proc, pid, mark)
                .flatMap(groups -> version1(proc, groups).or(() -> version2(proc, groups)));
    }

    private static Optional<GroupProcesses> version1(Path proc, GroupsOfProcess groups) {
        return groups.version1("cpu")
                .filter(groups::isOfTheSandbox)
                .map(group -> new GroupProcesses(
                        proc, group.resolve("cgroup.procs"), group.resolve("cpu.cfs_quota_us"), "-1"));
    }

    private static Optional<GroupProcesses> version2(Path proc, GroupsOfProcess groups) {
        return groups.version2()
                .filter(groups::isOfTheSandbox)
                .filter(group -> Files.exists(group.resolve("cpu.max")))
                .map(group -> new GroupProcesses(proc, group.resolve("cgroup.procs"), group.resolve("cpu.max"), "max"));
    }

    /** Lifts the CPU quota. Has no effect without permission, or when the group is gone. */
    public void unthrottle() {
        try {
            Files.writeString(quota, unbounded, StandardOpenOption.WRITE);
        } catch (IOException refused) {
            LOG.debug("{} stays as it is: {}", quota, refused.toString());
        }
    }

    /**
     * Sets the CPU quota, in microseconds of each period.
     *
     * @throws IOException without permission, or when the group is gone
     */
    public void throttle(long quotaMicros) throws IOException {
        Files.writeString(quota, Long.toString(quotaMicros), StandardOpenOption.WRITE);
    }

    /**
     * Kills all but one process; has no effect without permission. The spared one, the guest, kills any that appear
     * later.
     */
    public void killAllBut(long spared) {
        try {
            int round = 0;
            while (round < ROUNDS_MAX && killOnce(spared) > 0) {
                round++;
            }
        } catch (IOException gone) {
            LOG.debug("{} cannot be read: {}", processes, gone.toString());
        }
    }

    /** Their process ids on this machine. */
    List<Long> pids() throws IOException {
        return Files.readAllLines(processes).stream().map(CgroupFormat::number).toList();
    }

    /** Returns how many there were to kill. */
    private int killOnce(long spared) throws IOException {
        int killed = 0;
        for (long pid : pids()) {
            if (pid != spared && kill(pid, group())) {
                killed++;
            }
        }
        return killed;
    }

    /** The name of the group's directory, the last part of its path. */
    private String group() {
        return processes.getName(processes.getNameCount() - 2).toString();
    }

    /** The handle records the start time, so it must be obtained before checking where the process is. */
    private boolean kill(long pid, String group) {
        return ProcessHandle.of(pid)
                .filter(handle -> ContainerProcesses.isIn(proc.resolve(Long.toString(pid)), group))
                .filter(ProcessHandle::destroyForcibly)
                .isPresent();
    }
}
