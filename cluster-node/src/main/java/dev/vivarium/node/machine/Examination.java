package dev.vivarium.node.machine;

import dev.vivarium.node.kernel.OpenFileTable;
import dev.vivarium.node.machine.MachineFacts.Presence;
import dev.vivarium.node.placement.Capacity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** Derives findings about sandboxes from the facts about a machine. Pure: the same facts give the same findings. */
final class Examination {
    private static final String UNREAD = "could not be read by this user.";
    private static final Version KERNEL_OLD =
            Version.of("5.10").orElseThrow(() -> new IllegalStateException("5.10 is a version"));
    /** Of a node: a few for each run and each client. */
    private static final long OPEN_FILES_OF_A_NODE_MIN = 8_192;

    private static final long FREE_BYTES_MIN = 2L << 30;
    private static final Set<String> CONTROLLERS_NEEDED = Set.of("memory", "cpu", "pids");

    private final MachineFacts facts;
    private final List<Finding> findings = new ArrayList<>();

    private Examination(MachineFacts facts) {
        this.facts = facts;
    }

    /** All findings, in the order of the parts of a machine; holes last, worst first. */
    static List<Finding> of(MachineFacts facts, KnownHoles known) {
        Examination examination = new Examination(facts);
        examination.lookAtUser();
        examination.lookAtKernel();
        examination.lookAtGroups();
        examination.lookAtCrashes();
        examination.lookAtTables();
        examination.lookAtNetwork();
        examination.lookAtMemory();
        examination.lookAtData();
        examination.findings.addAll(EngineExamination.of(facts.engine(), facts.driver()));
        examination.lookAtPort();
        examination.lookAtAccess();
        examination.lookAtStore();
        examination.lookAtKnownHoles(known);
        return List.copyOf(examination.findings);
    }

    private void ok(String part, String found) {
        findings.add(Finding.ok(part, found));
    }

    private void note(String part, String found, String remedy) {
        findings.add(new Finding(Level.NOTE, part, found, remedy));
    }

    private void warn(String part, String found, String remedy) {
        findings.add(new Finding(Level.WARNING, part, found, remedy));
    }

    private void problem(String part, String found, String remedy) {
        findings.add(new Finding(Level.PROBLEM, part, found, remedy));
    }

    private void lookAtUser() {
        if (facts.user() == MachineFacts.User.ROOT) {
            ok(
                    "user",
                    "This is root, which a node needs for sandboxes with a network and for memory that no group"
                            + " counts.");
        } else {
            note(
                    "user",
                    "This is not root. What only root can read is missing here; a node of this user gives no network"
                            + " and does not count memory of the kernel that no control group counts.",
                    "Run it as root for all of it.");
        }
    }

    private void lookAtKernel() {
        MachineFacts.Kernel kernel = facts.kernel();
        if (kernel.version()
                .filter(version -> version.compareTo(KERNEL_OLD) < 0)
                .isPresent()) {
            warn(
                    "kernel",
                    "Linux " + kernel.release()
                            + " is of a branch that its makers mend no more; class container stands on it.",
                    "Take a newer kernel of the distribution.");
        } else {
            ok("kernel", "Linux " + kernel.release() + ".");
        }
        if (kernel.seccomp() == Presence.YES) {
            ok("seccomp", "The kernel filters system calls, as each sandbox of class container has it.");
        } else {
            problem(
                    "seccomp",
                    "The kernel has no filters of system calls (seccomp), so no sandbox of class container starts.",
                    "Take a kernel with CONFIG_SECCOMP_FILTER.");
        }
        if (kernel.apparmor() == Presence.YES) {
            ok("apparmor", "The kernel has AppArmor, which engines confine containers with, a wall more.");
        } else {
            note(
                    "apparmor",
                    "There is no AppArmor, a wall more that engines use where it is. Vivarium's own walls do not need"
                            + " it.",
                    "");
        }
        OptionalLong namespaces = kernel.userNamespacesMax();
        if (namespaces.isPresent() && namespaces.getAsLong() > 0) {
            ok(
                    "user namespaces",
                    "The kernel has them, for programs of the host. Sandboxes of class container can make none.");
        } else {
            ok(
                    "user namespaces",
                    "There are none, or they " + UNREAD + " Sandboxes of class container could make none anyway.");
        }
    }

    private void lookAtGroups() {
        MachineFacts.ControlGroups groups = facts.groups();
        if (groups.version().isEmpty()) {
            problem(
                    "control groups",
                    "None are mounted, so neither memory nor processors nor processes can be limited.",
                    "Mount them at /sys/fs/cgroup (systemd does, or the package cgroupfs-mount).");
            return;
        }
        List<String> missing = CONTROLLERS_NEEDED.stream()
                .filter(controller -> !groups.controllers().contains(controller))
                .sorted()
                .toList();
        if (!missing.isEmpty()) {
            problem(
                    "control groups",
                    "The controllers " + String.join(", ", missing)
                            + " are missing, so limits of runs cannot be enforced.",
                    "Switch them on: the kernel's command line (cgroup_enable=memory), or its configuration.");
        } else if (groups.version().getAsInt() == 1) {
            note(
                    "control groups",
                    "Version 1. Memory in the queues of sockets counts only where the node may write to the engine's"
                            + " groups.",
                    "Take version 2 where you can (systemd.unified_cgroup_hierarchy=1).");
        } else {
            ok("control groups", "Version 2, with memory, cpu and pids.");
        }
        if (!groups.controllers().contains("blkio") && !groups.controllers().contains("io")) {
            note(
                    "disk",
                    "The controller of disks (blkio, io) is missing, so reads of images cannot be limited.",
                    "Switch it on in the kernel (CONFIG_BLK_CGROUP, CONFIG_BLK_DEV_THROTTLING).");
        }
    }

    private void lookAtCrashes() {
        String pattern = facts.kernel().corePattern().orElse("");
        if (pattern.startsWith("@")) {
            warn(
                    "core_pattern",
                    "The kernel sends crashes of sandboxes, whatever their limits, to the program behind " + pattern
                            + ".",
                    "Set kernel.core_pattern to a file or a pipe, or be sure that it expects memory of hostile"
                            + " processes.");
        } else if (pattern.startsWith("|")) {
            ok(
                    "core_pattern",
                    "A crash starts a program of the host (" + pattern.split(" ", 2)[0]
                            + "), but none in a sandbox does: their" + " limit of core files is 1 byte.");
        } else {
            ok("core_pattern", "No crash starts a program of the host.");
        }
    }

    private void lookAtTables() {
        MachineFacts.Tables tables = facts.tables();
        long processesOfRuns =
                Capacity.processesOf(facts.node().runProcesses()) * facts.node().runsMax();
        if (tables.processes().isEmpty()) {
            note("processes", "The size of the kernel's table of processes " + UNREAD, "");
        } else if (tables.processes().getAsLong() < processesOfRuns) {
            note(
                    "processes",
                    "The kernel takes " + tables.processes().getAsLong() + " processes, fewer than "
                            + facts.node().runsMax() + " runs of "
                            + facts.node().runProcesses()
                            + " may have together, with the numbers of their groups and sessions; further runs wait.",
                    "sysctl -w kernel.pid_max=4194304 (and kernel.threads-max).");
        } else {
            ok("processes", "The kernel takes " + tables.processes().getAsLong() + " processes.");
        }
        lookAtOpenFiles(tables.openFiles());
        if (tables.openFilesOfAProcess().isPresent()
                && tables.openFilesOfAProcess().getAsLong() < OPEN_FILES_OF_A_NODE_MIN) {
            warn(
                    "files of a node",
                    "A process started here may open "
                            + tables.openFilesOfAProcess().getAsLong()
                            + " files; a node needs some for each run and each client.",
                    "ulimit -n 65536, or LimitNOFILE=65536 in its unit.");
        }
        if (tables.connections().isEmpty()) {
            note(
                    "connections",
                    "The kernel tracks no connections yet, or their number " + UNREAD
                            + " The first sandbox with a network begins it.",
                    "");
        } else {
            ok(
                    "connections",
                    "The kernel tracks " + tables.connections().getAsLong()
                            + "; above three quarters of that sandboxes open none.");
        }
    }

    /** Where memory is used up by open files before their number is reached, the number bounds nothing. */
    private void lookAtOpenFiles(OptionalLong all) {
        if (all.isEmpty()) {
            note("open files", "The machine's number " + UNREAD, "");
            return;
        }
        long max = all.getAsLong();
        if (!new OpenFileTable(0, max).isBoundFor(facts.memory().totalBytes().orElse(Long.MAX_VALUE))) {
            ok("open files", "The machine takes as many as its memory; each is memory of the sandbox that has it.");
            return;
        }
        long runs = (max - Math.min(facts.node().openFilesReserve(), max / 2))
                / facts.node().runOpenFiles();
        String found = "The machine takes " + max + ", those of root aside: room for " + runs
                + " runs of the default size, which take " + facts.node().runOpenFiles() + " each. When three quarters"
                + " are in use, the sandboxes that hold most are ended.";
        if (runs < Math.min(facts.node().runsMax(), runsInMemory().orElse(Long.MAX_VALUE))) {
            note(
                    "open files",
                    found + " Further runs wait, though there is memory for them.",
                    "sysctl -w fs.file-max=9223372036854775807, as systemd sets it: each open file is memory of its"
                            + " sandbox.");
        } else {
            ok("open files", found);
        }
    }

    private OptionalLong runsInMemory() {
        OptionalLong total = facts.memory().totalBytes();
        return total.isEmpty()
                ? total
                : OptionalLong.of(
                        (total.getAsLong() - Math.min(facts.node().memoryReserveBytes(), total.getAsLong() / 2))
                                / facts.node().runMemoryBytes());
    }

    private void lookAtNetwork() {
        List<String> missing = facts.network().missingPrograms();
        if (!missing.isEmpty()) {
            warn(
                    "network",
                    "Without " + String.join(", ", missing)
                            + " a node gives sandboxes no network, and refuses the default, egress mode public.",
                    "apt-get install nftables iproute2, or ./vivarium setup.");
        } else if (facts.network().forwarding() == Presence.NO) {
            warn(
                    "network",
                    "The machine does not forward packets, so sandboxes have no network.",
                    "sysctl -w net.ipv4.ip_forward=1.");
        } else if (facts.network().forwarding() == Presence.UNKNOWN) {
            note("network", "Whether the machine forwards packets " + UNREAD, "");
        } else {
            ok("network", "nft and ip are there, and the machine forwards packets.");
        }
    }

    private void lookAtMemory() {
        MachineFacts.Memory memory = facts.memory();
        if (memory.totalBytes().isEmpty()) {
            note("memory", "The machine's memory " + UNREAD, "");
        } else {
            long runs = runsInMemory().orElse(0);
            String found = mebibytes(memory.totalBytes().getAsLong()) + ", of which "
                    + mebibytes(memory.availableBytes().orElse(0)) + " are free: room for " + runs
                    + " runs of the default size at once; more wait.";
            if (runs == 0) {
                problem("memory", found, "Lower vivarium.limits.default.memory and .disk, or take a larger machine.");
            } else if (memory.availableBytes().orElse(Long.MAX_VALUE)
                    < facts.node().runMemoryBytes()) {
                warn(
                        "memory",
                        found,
                        "Something else uses it: end that, or set vivarium.run.memory-max to what is left.");
            } else {
                ok("memory", found);
            }
        }
        if (memory.swapBytes().orElse(0) > 0) {
            note(
                    "swap",
                    "There is swap space on a disk, to which memory of agents and secrets in the node's memory can be"
                            + " written.",
                    "Encrypt it, or switch it off (swapoff -a).");
        } else if (memory.swapBytes().isPresent()) {
            ok("swap", "None on a disk: no memory reaches one.");
        } else {
            note("swap", "Whether there is swap space " + UNREAD, "");
        }
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private void lookAtData() {
        MachineFacts.Data data = facts.data();
        if (data.writable() == Presence.NO) {
            problem(
                    "data",
                    "This user may not write to " + data.folder() + ", where the node keeps what must last.",
                    "Give it to the node's user, or name another one with --data.");
        } else if (data.freeBytes().isEmpty()) {
            note("data", "The disk of " + data.folder() + " " + UNREAD, "");
        } else if (data.freeBytes().getAsLong() < FREE_BYTES_MIN) {
            warn(
                    "data",
                    "Only " + mebibytes(data.freeBytes().getAsLong()) + " are free for " + data.folder()
                            + "; when the disk is full nothing is acknowledged any more.",
                    "Make room, or name another folder with --data.");
        } else {
            ok("data", data.folder() + ": " + mebibytes(data.freeBytes().getAsLong()) + " are free.");
        }
    }

    private void lookAtPort() {
        MachineFacts.NodeSettings node = facts.node();
        String address = node.host() + ":" + node.port();
        switch (node.portState()) {
            case FREE -> ok("port", address + " is free for a node.");
            case A_NODE -> ok("port", "A node answers at " + address + ".");
            case TAKEN -> warn("port", "Another program is at " + address + ".", "Choose another port with --port.");
            case ELSEWHERE -> problem(
                    "port",
                    "The address " + node.host() + " is not one of this machine.",
                    "Name one that is with --host (vivarium.http.host).");
        }
    }

    private void lookAtAccess() {
        MachineFacts.NodeSettings node = facts.node();
        if (node.apiTls() == Presence.YES) {
            ok("access", "The API asks for a token, and has TLS.");
        } else if (node.reach() == MachineFacts.Reach.OTHERS) {
            problem(
                    "access",
                    "The API would listen on " + node.host()
                            + " without TLS: whoever is on the way reads the tokens of its callers. A node does not start so,"
                            + " unless it is told to (vivarium.http.insecure-tokens-in-clear-text).",
                    "Give it a certificate (--certificate and --key), or listen on 127.0.0.1.");
        } else {
            ok("access", "The API asks for a token, and listens for this machine only.");
        }
        if (!node.formation().equals("alone") && node.clusterTls() != Presence.YES) {
            warn(
                    "cluster",
                    "Nodes speak without TLS: everyone who reaches the cluster's address can act as a node.",
                    "Set vivarium.cluster.tls in place of insecure-nodes-in-clear-text, or keep that address on a network of"
                            + " its own.");
        }
    }

    private void lookAtStore() {
        MachineFacts.NodeSettings node = facts.node();
        if (node.storeKind().equals("embedded")) {
            ok("store", "The node's own PostgreSQL, in its data folder. Copies of that folder are its only backup.");
        } else if (node.storeAddresses().isEmpty()) {
            problem(
                    "store",
                    "vivarium.store.kind is " + node.storeKind() + ", and its address is not set.",
                    "Set vivarium.store." + node.storeKind() + ", and run `vivarium store prepare`.");
        } else if (!node.storeSilent().isEmpty()) {
            problem(
                    "store",
                    "Nothing answers at " + String.join(", ", node.storeSilent()) + ", where the store would be.",
                    "Start it, or correct vivarium.store." + node.storeKind() + ".");
        } else {
            ok("store", node.storeKind() + " answers at " + String.join(", ", node.storeAddresses()) + ".");
        }
    }

    private void lookAtKnownHoles(KnownHoles known) {
        List<Finding> holes = known.in(facts.installed());
        String titles = String.join(
                ", ", facts.installed().stream().map(Installed::title).toList());
        if (facts.kernel().version().isEmpty()) {
            note(
                    "kernel",
                    "The number of Linux " + facts.kernel().release()
                            + " does not say which holes are mended in it: its distribution takes mends of newer ones.",
                    "Keep it up to date; the distribution's tracker says what is mended.");
        }
        if (holes.stream().noneMatch(hole -> hole.level().compareTo(Level.WARNING) >= 0)) {
            ok(
                    "known holes",
                    "None that a sandbox or an image could use, by the list of " + known.date() + ", in: " + titles
                            + ".");
        }
        findings.addAll(holes);
    }
}
