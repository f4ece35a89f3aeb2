package dev.vivarium.node.machine;

import dev.vivarium.node.driver.docker.EngineReport;
import dev.vivarium.node.machine.MachineFacts.Presence;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** A machine without any problem, for tests to change. */
final class SampleMachine {
    MachineFacts.User user = MachineFacts.User.ROOT;
    MachineFacts.Kernel kernel = new MachineFacts.Kernel(
            "6.18.44", Version.of("6.18.44"), Presence.YES, Presence.YES, OptionalLong.of(1000), Optional.of("core"));
    MachineFacts.ControlGroups groups =
            new MachineFacts.ControlGroups(OptionalInt.of(2), Set.of("memory", "cpu", "pids", "io"));
    MachineFacts.Tables tables = new MachineFacts.Tables(
            OptionalLong.of(4_194_304),
            OptionalLong.of(Long.MAX_VALUE),
            OptionalLong.of(65_536),
            OptionalLong.of(128),
            OptionalLong.of(65_536),
            OptionalLong.of(4096),
            OptionalLong.of(262_144),
            OptionalLong.of(1024));
    MachineFacts.Network network = new MachineFacts.Network(List.of(), Presence.YES);
    MachineFacts.Memory memory =
            new MachineFacts.Memory(OptionalLong.of(16L << 30), OptionalLong.of(12L << 30), OptionalLong.of(0));
    MachineFacts.Data data =
            new MachineFacts.Data(Path.of("/var/lib/vivarium"), OptionalLong.of(100L << 30), Presence.YES);
    MachineFacts.Engine engine = new MachineFacts.Engine.Answering(
            "unix:///var/run/docker.sock",
            new EngineReport(
                    "29.5.1",
                    Map.of(),
                    "overlay2",
                    "/var/lib/docker",
                    "2",
                    Set.of("seccomp", "apparmor"),
                    EngineReport.LiveRestore.OFF,
                    "runc",
                    Map.of(
                            "runc",
                            new EngineReport.OciRuntime("runc", List.of()),
                            "runsc",
                            new EngineReport.OciRuntime("/usr/bin/runsc", List.of("--platform=systrap"))),
                    EngineReport.Place.THIS_MACHINE));
    MachineFacts.Driver driver = new MachineFacts.Driver.ByEngine(Optional.empty());
    List<Installed> installed = List.of();
    String host = "127.0.0.1";
    Presence apiTls = Presence.NO;
    MachineFacts.Reach reach = MachineFacts.Reach.THIS_MACHINE;
    MachineFacts.PortState port = MachineFacts.PortState.FREE;
    String store = "embedded";
    List<String> storeAddresses = List.of();
    List<String> storeSilent = List.of();
    String formation = "alone";

    static EngineReport withoutSecurityOptions(EngineReport report) {
        return new EngineReport(
                report.version(),
                report.components(),
                report.storageDriver(),
                report.dataFolder(),
                report.cgroupVersion(),
                Set.of(),
                report.liveRestore(),
                report.defaultRuntime(),
                report.runtimes(),
                report.place());
    }

    List<Finding> findings() {
        return Examination.of(
                new MachineFacts(
                        user,
                        kernel,
                        groups,
                        tables,
                        network,
                        memory,
                        data,
                        engine,
                        driver,
                        installed,
                        new MachineFacts.NodeSettings(
                                host,
                                8080,
                                port,
                                reach,
                                apiTls,
                                store,
                                storeAddresses,
                                storeSilent,
                                formation,
                                Presence.NO,
                                1536L << 20,
                                512L << 20,
                                128,
                                65_536,
                                52_428,
                                256)),
                KnownHoles.read());
    }
}
