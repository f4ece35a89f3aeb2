package dev.vivarium.node.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnownHolesTest {
    private final KnownHoles known = KnownHoles.read();

    @Test
    void everyRowNamesTheImpactAndTheRemedy() {
        assertThat(known.holes()).isNotEmpty().allSatisfy(hole -> {
            assertThat(hole.id()).matches("CVE-\\d{4}-\\d{4,7}");
            assertThat(hole.allows()).endsWith(".").hasSizeGreaterThan(20);
            assertThat(hole.remedy()).startsWith("Update ").endsWith(".");
        });
        assertThat(known.holes()).extracting(KnownHole::id).doesNotHaveDuplicates();
        assertThat(known.holes()).extracting(KnownHole::component).contains(Component.values());
    }

    @ParameterizedTest
    @CsvSource({
        "1.1.11, true",
        "1.1.12, false",
        "1.0.0-rc92, false",
        "1.0.0-rc93, true",
        "1.1.5+ds1-1, true",
        "1.1.5+ds1-1+deb12u1, false",
        "1.3.6, false"
    })
    void versionsOfRuncAreCheckedForTheDescriptorLeak(String version, boolean has) {
        assertThat(holes(installed(Component.RUNC, version)).contains("CVE-2024-21626"))
                .isEqualTo(has);
    }

    @Test
    void aHoleNamedInThePackagesChangelogIsFixed() {
        Installed mended = new Installed(
                Component.CRUN, "1.8.1", Version.of("1.8.1"), Optional.of("1.8.1-1+deb12u1"), Set.of("CVE-2025-24965"));

        assertThat(holes(mended)).doesNotContain("CVE-2025-24965");
        assertThat(holes(Installed.of(Component.CRUN, "1.8.1"))).contains("CVE-2025-24965");
    }

    @ParameterizedTest
    @CsvSource({"6.18.37, true", "6.18.38, false", "6.12.95, false", "6.12.94, true", "5.10.250, false"})
    void kernelsAreComparedWithinTheirBranch(String version, boolean has) {
        assertThat(holes(Installed.of(Component.KERNEL, version)).contains("CVE-2026-53361"))
                .isEqualTo(has);
    }

    @ParameterizedTest
    @CsvSource({
        "6.1.0-18-amd64, Linux version 6.1.0-18-amd64 (x@y) #1 SMP Debian 6.1.76-1 (2024-02-01), 6.1.76",
        "6.18.44-fc-v782, Linux version 6.18.44-fc-v782 (x@y), 6.18.44",
        "6.1.79-99.167.amzn2023.x86_64, Linux version 6.1.79-99.167.amzn2023.x86_64, 6.1.79",
        "5.14.0-427.el9.x86_64, Linux version 5.14.0-427.el9.x86_64, ''",
        "6.8.0-31-generic, Linux version 6.8.0-31-generic (buildd@x) #31-Ubuntu SMP, ''"
    })
    void theUpstreamVersionOfADistributionsKernelIsRecognized(String release, String description, String version) {
        assertThat(InstalledComponents.kernelVersion(release, description)).isEqualTo(Version.of(version));
    }

    @Test
    void theWorstHoleComesFirst() {
        List<Finding> findings = known.in(List.of(
                Installed.of(Component.ENGINE, "20.10.24"),
                Installed.of(Component.RUNC, "1.1.5"),
                Installed.of(Component.KERNEL, "6.1.20")));

        assertThat(findings).extracting(Finding::level).contains(Level.PROBLEM, Level.WARNING, Level.NOTE);
        assertThat(findings).extracting(Finding::level).isSortedAccordingTo(Comparator.reverseOrder());
        assertThat(findings.get(0).found()).contains("Linux 6.1.20 has CVE-");
    }

    private static Installed installed(Component component, String version) {
        return new Installed(component, version, Version.of(version), Optional.of(version), Set.of());
    }

    private List<String> holes(Installed installed) {
        return known.holes().stream()
                .filter(hole -> hole.isIn(installed))
                .map(KnownHole::id)
                .toList();
    }
}
