package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.docker.EngineReport;
import dev.vivarium.node.driver.oci.OciDriverConfig;
import dev.vivarium.node.driver.oci.OciSupport;
import dev.vivarium.node.machine.MachineFacts.Presence;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the facts about this machine. Blocks, for a few seconds when an engine does not answer. */
final class MachineReader {
    private static final Pattern MEMORY_TOTAL = Pattern.compile("(?m)^MemTotal: +([0-9]{1,15}) kB$");
    private static final Pattern MEMORY_AVAILABLE = Pattern.compile("(?m)^MemAvailable: +([0-9]{1,15}) kB$");
    private static final Pattern OPEN_FILES = Pattern.compile("(?m)^Max open files +([0-9]{1,15}) ");
    private static final Pattern UID = Pattern.compile("(?m)^Uid:\\s+([0-9]+)");
    private static final String KERNEL = "proc/sys/kernel/";
    private static final List<String> NETWORK_PROGRAMS = List.of("nft", "ip");

    private final HostFiles files;
    private final Programs programs;

    MachineReader(HostFiles files, Programs programs) {
        this.files = files;
        this.programs = programs;
    }

    /** The reader of the machine that this process runs on. */
    static MachineReader ofThisMachine() {
        return new MachineReader(
                new HostFiles(Path.of("/")),
                new Programs(Optional.ofNullable(System.getenv("PATH")).orElse("")));
    }

    /**
     * @param config the node's whole configuration
     * @param data its data folder
     * @param node how it is configured
     */
    MachineFacts read(Config config, Path data, MachineFacts.NodeSettings node) {
        MachineFacts.Kernel kernel = kernel();
        Config driver = config.getConfig("vivarium.driver");
        MachineFacts.Engine engine = engine(driver);
        MachineFacts.Driver making = driver(driver);
        return new MachineFacts(
                user(),
                kernel,
                groups(),
                tables(),
                network(),
                memory(),
                data(data),
                engine,
                making,
                installed(kernel, engine, making),
                node);
    }

    /** Only the versions of the components below sandboxes: fast enough for every start of a node. */
    List<Installed> installed(Config driver) {
        return installed(kernel(), engine(driver), driver(driver));
    }

    private List<Installed> installed(
            MachineFacts.Kernel kernel, MachineFacts.Engine engine, MachineFacts.Driver driver) {
        List<Installed> installed = new ArrayList<>();
        installed.add(InstalledComponents.kernel(kernel));
        InstalledComponents components = new InstalledComponents(files);
        if (engine instanceof MachineFacts.Engine.Answering answering) {
            installed.addAll(components.ofEngine(answering.report()));
        }
        if (driver instanceof MachineFacts.Driver.Runtimes those) {
            those.runtimes().forEach(runtime -> installed.add(components.ofRuntime(runtime)));
        } else if (engine instanceof MachineFacts.Engine.Answering answering) {
            installed.addAll(components.ofRuntimes(answering.report(), programs));
        }
        return installed;
    }

    private MachineFacts.User user() {
        OptionalLong uid = files.number("proc/self/status", UID);
        return uid.isPresent() && uid.getAsLong() == 0 ? MachineFacts.User.ROOT : MachineFacts.User.ORDINARY;
    }

    private MachineFacts.Kernel kernel() {
        String release = files.text(KERNEL + "osrelease").map(String::strip).orElse("unknown");
        return new MachineFacts.Kernel(
                release,
                InstalledComponents.kernelVersion(
                        release, files.text("proc/version").orElse("")),
                files.exists(KERNEL + "seccomp/actions_avail") ? Presence.YES : Presence.NO,
                files.text("sys/module/apparmor/parameters/enabled")
                        .map(enabled -> enabled.startsWith("Y") ? Presence.YES : Presence.NO)
                        .orElse(Presence.NO),
                files.number("proc/sys/user/max_user_namespaces"),
                files.text(KERNEL + "core_pattern").map(String::strip));
    }

    private MachineFacts.ControlGroups groups() {
        Optional<String> unified = files.text("sys/fs/cgroup/cgroup.controllers");
        if (unified.isPresent()) {
            return new MachineFacts.ControlGroups(
                    OptionalInt.of(2), Set.of(unified.get().strip().split("\\s+")));
        }
        Set<String> mounted = new HashSet<>();
        files.text("proc/mounts")
                .orElse("")
                .lines()
                .map(line -> line.split(" ", -1))
                .filter(fields -> fields.length > 3 && fields[2].equals("cgroup"))
                .forEach(fields -> mounted.addAll(Arrays.asList(fields[3].split(",", -1))));
        return new MachineFacts.ControlGroups(mounted.isEmpty() ? OptionalInt.empty() : OptionalInt.of(1), mounted);
    }

    private MachineFacts.Tables tables() {
        OptionalLong pids = files.number(KERNEL + "pid_max");
        OptionalLong threads = files.number(KERNEL + "threads-max");
        return new MachineFacts.Tables(
                pids.isPresent() && threads.isPresent()
                        ? OptionalLong.of(Math.min(pids.getAsLong(), threads.getAsLong()))
                        : pids,
                files.number("proc/sys/fs/file-max"),
                files.number("proc/self/limits", OPEN_FILES),
                files.number("proc/sys/fs/inotify/max_user_instances"),
                files.number("proc/sys/fs/inotify/max_user_watches"),
                files.number(KERNEL + "pty/max"),
                files.number("proc/sys/net/netfilter/nf_conntrack_max"),
                files.number("proc/sys/net/ipv4/neigh/default/gc_thresh3"));
    }

    private MachineFacts.Network network() {
        OptionalLong forwards = files.number("proc/sys/net/ipv4/ip_forward");
        Presence forwarding =
                forwards.isEmpty() ? Presence.UNKNOWN : forwards.getAsLong() == 1 ? Presence.YES : Presence.NO;
        return new MachineFacts.Network(
                NETWORK_PROGRAMS.stream()
                        .filter(program -> !programs.has(program))
                        .toList(),
                forwarding);
    }

    private MachineFacts.Memory memory() {
        return new MachineFacts.Memory(
                bytes(files.number("proc/meminfo", MEMORY_TOTAL)),
                bytes(files.number("proc/meminfo", MEMORY_AVAILABLE)),
                bytes(files.text("proc/swaps").map(MachineReader::swapKiB).orElse(OptionalLong.empty())));
    }

    private static OptionalLong bytes(OptionalLong kib) {
        return kib.isPresent() ? OptionalLong.of(kib.getAsLong() << 10) : kib;
    }

    /** Swap space in compressed memory (zram) is not on a disk. */
    private static OptionalLong swapKiB(String swaps) {
        return OptionalLong.of(swaps.lines()
                .skip(1)
                .map(line -> line.split("\\s+", -1))
                .filter(fields -> fields.length > 2 && fields[2].matches("[0-9]{1,15}") && !fields[0].contains("zram"))
                .mapToLong(fields -> Long.parseLong(fields[2]))
                .sum());
    }

    private static MachineFacts.Data data(Path folder) {
        Path there = folder;
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }
        OptionalLong free = OptionalLong.empty();
        try {
            FileStore disk = Files.getFileStore(there);
            free = OptionalLong.of(disk.getUsableSpace());
        } catch (IOException hidden) {
            return new MachineFacts.Data(folder, free, Presence.UNKNOWN);
        }
        return new MachineFacts.Data(folder, free, Files.isWritable(there) ? Presence.YES : Presence.NO);
    }

    private static MachineFacts.Driver driver(Config driver) {
        String kind = driver.getString("kind");
        return switch (kind) {
            case "idle" -> new MachineFacts.Driver.None();
            case "docker" -> new MachineFacts.Driver.ByEngine(Optional.empty());
            default -> {
                DockerDriverConfig engine = DockerDriverConfig.from(driver.getConfig("docker"), "doctor", "doctor");
                OciSupport.Survey survey = OciSupport.survey(OciDriverConfig.from(driver.getConfig("oci"), engine));
                if (survey instanceof OciSupport.Usable usable) {
                    yield new MachineFacts.Driver.Runtimes(usable.runtimes());
                }
                String why = ((OciSupport.Unusable) survey).why();
                yield kind.equals("oci")
                        ? new MachineFacts.Driver.Missing(why)
                        : new MachineFacts.Driver.ByEngine(Optional.of(why));
            }
        };
    }

    private static MachineFacts.Engine engine(Config driver) {
        if (driver.getString("kind").equals("idle")) {
            return new MachineFacts.Engine.None();
        }
        DockerDriverConfig config = DockerDriverConfig.from(driver.getConfig("docker"), "doctor", "doctor");
        String address = config.engine().toString();
        try {
            return new MachineFacts.Engine.Answering(address, EngineReport.ask(config));
        } catch (DriverException silent) {
            return new MachineFacts.Engine.Silent(address, String.valueOf(silent.getMessage()));
        } catch (IllegalArgumentException unusable) {
            return new MachineFacts.Engine.Silent(address, String.valueOf(unusable.getMessage()));
        }
    }
}
