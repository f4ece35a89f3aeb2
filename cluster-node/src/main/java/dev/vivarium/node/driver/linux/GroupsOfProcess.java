package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The directories of one process's control groups on this machine.
 *
 * @param mounted the control group file systems
 * @param memberships the groups of the process
 * @param mark part of the path of every group of its sandbox
 */
record GroupsOfProcess(List<CgroupFormat.Hierarchy> mounted, List<CgroupFormat.Membership> memberships, String mark) {
    /**
     * Those of a process.
     *
     * @param proc the proc file system
     * @return empty when the kernel does not list them
     */
    static Optional<GroupsOfProcess> of(Path proc, long pid, String mark) {
        try {
            return Optional.of(new GroupsOfProcess(
                    CgroupFormat.hierarchies(Files.readAllLines(proc.resolve("mounts"))),
                    CgroupFormat.memberships(Files.readAllLines(proc.resolve(pid + "/cgroup"))),
                    mark));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /** The directory for a controller of version 1, if it is visible here. */
    Optional<Path> version1(String controller) {
        return CgroupFormat.directoryV1(mounted, memberships, controller).map(Path::of);
    }

    /** The directory of version 2, if it is visible here. */
    Optional<Path> version2() {
        return CgroupFormat.directoryV2(mounted, memberships).map(Path::of);
    }

    /** Whether the directory is the sandbox's, and not of whoever has got a process id that it had. */
    boolean isOfTheSandbox(Path directory) {
        return directory.toString().contains(mark);
    }
}
