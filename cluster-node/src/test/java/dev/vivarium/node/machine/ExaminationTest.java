package dev.vivarium.node.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.oci.OciRuntime;
import dev.vivarium.node.machine.MachineFacts.Presence;
import dev.vivarium.protocol.run.Isolation;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExaminationTest {
    private final SampleMachine machine = new SampleMachine();

    @Test
    void aMachineWithoutProblemsIsFine() {
        assertThat(machine.findings())
                .filteredOn(finding -> finding.level() != Level.OK)
                .isEmpty();
        assertThat(of("access").found()).isEqualTo("The API asks for a token, and listens for this machine only.");
    }

    @Test
    void everyProblemHasAReason() {
        machine.user = MachineFacts.User.ORDINARY;
        machine.groups = new MachineFacts.ControlGroups(OptionalInt.of(1), Set.of("memory"));
        machine.engine = new MachineFacts.Engine.Silent("unix:///run/docker.sock", "It is not there.");

        assertThat(machine.findings())
                .allSatisfy(finding -> assertThat(finding.found()).endsWith("."))
                .filteredOn(finding -> finding.level() == Level.PROBLEM)
                .allSatisfy(finding -> assertThat(finding.remedy()).endsWith("."))
                .extracting(Finding::part)
                .containsExactly("control groups", "engine");
    }

    @Test
    void aMachineSaysWhichRuntimesMakeItsSandboxes() {
        machine.driver = new MachineFacts.Driver.Runtimes(List.of(
                new OciRuntime(Isolation.CONTAINER, Path.of("/usr/bin/crun"), "crun", "1.8.1"),
                new OciRuntime(Isolation.GVISOR, Path.of("/usr/bin/runsc"), "runsc", "release-20240729.0")));

        assertThat(of("driver").level()).isEqualTo(Level.OK);
        assertThat(of("driver").found())
                .contains("class container by crun 1.8.1 (/usr/bin/crun)")
                .contains("class gvisor by runsc release-20240729.0");
        assertThat(machine.findings()).extracting(Finding::part).doesNotContain("runtimes");
    }

    @Test
    void anEngineThatOnlyDeliversImagesNeedsNoFilterOfSystemCalls() {
        MachineFacts.Engine.Answering engine = (MachineFacts.Engine.Answering) machine.engine;
        machine.engine = new MachineFacts.Engine.Answering(
                engine.address(), SampleMachine.withoutSecurityOptions(engine.report()));

        assertThat(machine.findings())
                .filteredOn(finding -> finding.level() == Level.PROBLEM)
                .extracting(Finding::found)
                .singleElement()
                .asString()
                .contains("(seccomp)");

        machine.driver = new MachineFacts.Driver.Runtimes(
                List.of(new OciRuntime(Isolation.CONTAINER, Path.of("/usr/bin/crun"), "crun", "1.8.1")));

        assertThat(machine.findings()).noneMatch(finding -> finding.level() == Level.PROBLEM);
    }

    @Test
    void aMachineThatNeedsTheEngineForItsSandboxesSaysWhy() {
        machine.driver = new MachineFacts.Driver.ByEngine(Optional.of("there is no crun and no runc on this machine"));

        assertThat(of("driver").level()).isEqualTo(Level.NOTE);
        assertThat(of("driver").found()).contains("since there is no crun and no runc on this machine.");
        assertThat(of("driver").remedy()).contains("./vivarium setup");
    }

    @Test
    void runtimesThatAreConfiguredAndMissingAreAProblem() {
        machine.driver = new MachineFacts.Driver.Missing("the node is not root");

        assertThat(of("driver").level()).isEqualTo(Level.PROBLEM);
        assertThat(of("driver").found()).contains("the node is not root");
    }

    @Test
    void unreadableFilesAreNotReportedAsMissing() {
        OptionalLong unread = OptionalLong.empty();
        machine.tables = new MachineFacts.Tables(unread, unread, unread, unread, unread, unread, unread, unread);
        machine.memory = new MachineFacts.Memory(unread, unread, unread);
        machine.network = new MachineFacts.Network(List.of(), Presence.UNKNOWN);

        for (String part : List.of("processes", "open files", "memory", "swap", "network")) {
            assertThat(of(part).level()).as(part).isEqualTo(Level.NOTE);
            assertThat(of(part).found()).as(part).contains("could not be read by this user");
        }
    }

    @Test
    void aTableOfOpenFilesForFewerRunsThanMemoryAllowsIsNoted() {
        openFilesMax(1_000_000);

        assertThat(of("open files").level()).isEqualTo(Level.NOTE);
        assertThat(of("open files").found()).contains("takes 1000000").contains("room for 17 runs");
        assertThat(of("open files").remedy()).contains("fs.file-max");
    }

    @Test
    void aTableOfOpenFilesForAsManyRunsAsMemoryAllowsIsOk() {
        openFilesMax(1_600_000);

        assertThat(of("open files").level()).isEqualTo(Level.OK);
        assertThat(of("open files").found()).contains("room for 29 runs");
    }

    @Test
    void aTableLargerThanMemoryAllowsLimitsNothing() {
        openFilesMax((16L << 30) / 192);

        assertThat(of("open files").level()).isEqualTo(Level.OK);
        assertThat(of("open files").found()).contains("as many as its memory");
    }

    private void openFilesMax(long max) {
        OptionalLong any = OptionalLong.of(1L << 22);
        machine.tables = new MachineFacts.Tables(any, OptionalLong.of(max), any, any, any, any, any, any);
    }

    @Test
    void anApiReachableFromOtherMachinesWithoutTlsIsAProblem() {
        machine.host = "0.0.0.0";
        machine.reach = MachineFacts.Reach.OTHERS;
        assertThat(of("access").level()).isEqualTo(Level.PROBLEM);

        machine.apiTls = Presence.YES;
        assertThat(of("access").level()).isEqualTo(Level.OK);
    }

    @Test
    void aGvisorInWhichLsFailsIsNoted() {
        machine.driver = new MachineFacts.Driver.Runtimes(
                List.of(new OciRuntime(Isolation.GVISOR, Path.of("/usr/bin/runsc"), "runsc", "0.0~20221219.0")));
        assertThat(of("gvisor").found()).contains("ls and stat");

        machine.driver = new MachineFacts.Driver.Runtimes(
                List.of(new OciRuntime(Isolation.GVISOR, Path.of("/usr/bin/runsc"), "runsc", "release-20240729.0")));
        assertThat(machine.findings()).extracting(Finding::part).doesNotContain("gvisor");
    }

    @Test
    void aMachineWithoutRoomForOneRunIsAProblem() {
        machine.memory = new MachineFacts.Memory(OptionalLong.of(800L << 20), OptionalLong.of(1), OptionalLong.of(0));

        assertThat(of("memory").level()).isEqualTo(Level.PROBLEM);
        assertThat(of("memory").found()).contains("room for 0 runs");
    }

    @Test
    void withoutTheProgramsOfTheNetworkTheDefaultIsRefused() {
        machine.network = new MachineFacts.Network(List.of("nft"), Presence.YES);

        assertThat(of("network").level()).isEqualTo(Level.WARNING);
        assertThat(of("network").found()).contains("nft").contains("public");
    }

    @Test
    void coreDumpsSentToASocketAreAWarning() {
        machine.kernel = kernel("@/run/crashes");
        assertThat(of("core_pattern").level()).isEqualTo(Level.WARNING);

        machine.kernel = kernel("|/usr/lib/systemd/systemd-coredump %P");
        assertThat(of("core_pattern").level()).isEqualTo(Level.OK);
    }

    @Test
    void aSharedStoreMustBeNamedAndAnswer() {
        machine.store = "postgres";
        assertThat(of("store").level()).isEqualTo(Level.PROBLEM);

        machine.storeAddresses = List.of("db:5432");
        assertThat(of("store").level()).isEqualTo(Level.OK);

        machine.storeSilent = List.of("db:5432");
        assertThat(of("store").level()).isEqualTo(Level.PROBLEM);
        assertThat(of("store").found()).contains("db:5432");
    }

    @Test
    void unencryptedTrafficBetweenNodesIsAWarning() {
        machine.formation = "seeds";

        assertThat(of("cluster").level()).isEqualTo(Level.WARNING);
    }

    @Test
    void aDistributionsKernelIsNotJudgedByItsVersionNumber() {
        machine.kernel = new MachineFacts.Kernel(
                "5.14.0-427.el9", Optional.empty(), Presence.YES, Presence.YES, OptionalLong.of(1), Optional.empty());
        machine.installed = List.of(InstalledComponents.kernel(machine.kernel));

        assertThat(machine.findings())
                .filteredOn(finding -> finding.part().equals("kernel"))
                .extracting(Finding::level)
                .containsExactly(Level.OK, Level.NOTE);
    }

    @Test
    void aHoleThatAnAgentCanExploitIsAProblem() {
        machine.installed = List.of(Installed.of(Component.KERNEL, "5.15.20"));

        assertThat(machine.findings())
                .filteredOn(finding -> finding.found().contains("CVE-2022-0847"))
                .extracting(Finding::level)
                .containsExactly(Level.PROBLEM);
    }

    private static MachineFacts.Kernel kernel(String corePattern) {
        return new MachineFacts.Kernel(
                "6.18.44",
                Version.of("6.18.44"),
                Presence.YES,
                Presence.YES,
                OptionalLong.of(1),
                Optional.of(corePattern));
    }

    private Finding of(String part) {
        return machine.findings().stream()
                .filter(finding -> finding.part().equals(part))
                .findFirst()
                .orElseThrow();
    }
}
