package dev.vivarium.node;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.PackageMatcher;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Set;
import java.util.TreeSet;

/** Data flows one way: HTTP, admission, run, sandbox, driver. No layer reaches round another. */
@AnalyzeClasses(
        packages = "dev.vivarium",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoJarsOfTests.class})
class ArchitectureTest {
    private static final String NODE = "dev.vivarium.node";
    /** Every package of the node that a rule names. A rule says nothing about a package that is empty or was renamed. */
    private static final Set<String> ROOMS = new TreeSet<>();

    @ArchTest
    static final ArchRule protocolDependsOnNoOtherModule = noClasses()
            .that()
            .resideInAPackage("dev.vivarium.protocol..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.vivarium.persistence..", NODE + "..", "org.apache.pekko..");

    @ArchTest
    static final ArchRule persistenceDoesNotKnowTheNode = noClasses()
            .that()
            .resideInAPackage("dev.vivarium.persistence..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(NODE + "..");

    @ArchTest
    static final ArchRule httpKnowsAdmissionAndQueriesAndNothingDeeper = noClasses()
            .that()
            .resideInAPackage(room("http.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("sandbox.."), room("driver.."), room("assembly.."), room("joining.."), room("cli.."));

    @ArchTest
    static final ArchRule theEngineOfRequestsKnowsNoFaceOfTheApi = noClasses()
            .that()
            .resideInAPackage(room("http.server.."))
            .should()
            .dependOnClassesThat(resideInAnyPackage(NODE + "..").and(not(resideInAnyPackage(room("http.server..")))));

    @ArchTest
    static final ArchRule theEngineOfRequestsKnowsNoQueryOfTheStore = noClasses()
            .that()
            .resideInAPackage(room("http.server.."))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.vivarium.persistence.store..");

    @ArchTest
    static final ArchRule admissionKnowsRunsAndNothingDeeper = noClasses()
            .that()
            .resideInAPackage(room("admission.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("http.."),
                    room("sandbox.."),
                    room("driver.."),
                    room("assembly.."),
                    room("joining.."),
                    room("cli.."));

    @ArchTest
    static final ArchRule runsKnowSandboxesAndNothingAbove = noClasses()
            .that()
            .resideInAPackage(room("run.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("http.."), room("admission.."), room("assembly.."), room("joining.."), room("cli.."));

    @ArchTest
    static final ArchRule sandboxesKnowTheDriverAndTheNetworkAndNothingAbove = noClasses()
            .that()
            .resideInAPackage(room("sandbox.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("http.."),
                    room("admission.."),
                    room("run.."),
                    room("driver.docker.."),
                    room("driver.oci.."),
                    room("driver.idle.."),
                    room("driver.container.."),
                    room("driver.guest.."),
                    room("driver.linux.."),
                    room("assembly.."),
                    room("joining.."),
                    room("cli.."));

    /** The launcher starts them with these libraries only (client_path): opening all of the node's takes longer than a command. */
    @ArchTest
    static final ArchRule commandsThatTalkToANodeNeedFewLibraries = noClasses()
            .that()
            .resideInAnyPackage(
                    "dev.vivarium.protocol..", "dev.vivarium.client..", "dev.vivarium.terminal..", room("cli"))
            .or()
            .haveNameMatching(NODE + "\\.archive\\.Tar(Writer|Header)")
            .and()
            .haveNameNotMatching(NODE + "\\.cli\\.(Up|Doctor|Store|Cluster|ClusterMember|Certificates)Command.*")
            .should()
            .dependOnClassesThat(not(resideInAnyPackage(
                    "java..",
                    "javax..",
                    "sun.misc..",
                    "jdk.net..",
                    "com.sun.net.httpserver..",
                    "dev.vivarium.protocol..",
                    "dev.vivarium.client..",
                    "dev.vivarium.terminal..",
                    NODE,
                    room("archive.."),
                    room("cli"),
                    "picocli..",
                    "com.fasterxml.jackson..",
                    "org.jspecify..",
                    "org.apache.pekko.util..",
                    "scala..")));

    @ArchTest
    static final ArchRule archivesKnowTheProtocolOnly = noClasses()
            .that()
            .resideInAPackage(room("archive.."))
            .should()
            .dependOnClassesThat(resideInAnyPackage("dev.vivarium..")
                    .and(not(resideInAnyPackage("dev.vivarium.protocol..", room("archive..")))));

    @ArchTest
    static final ArchRule certificatesAreMadeAndReadInOneRoom = noClasses()
            .that()
            .resideOutsideOfPackages(room("certificates"), "dev.vivarium.persistence..", "dev.vivarium.protocol..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.bouncycastle..");

    @ArchTest
    static final ArchRule driversKnowTheProtocolOnly = noClasses()
            .that()
            .resideInAPackage(room("driver.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.vivarium.persistence..",
                    room("http.."),
                    room("admission.."),
                    room("run.."),
                    room("sandbox.."),
                    room("network.."),
                    room("assembly.."),
                    room("joining.."),
                    room("cli.."));

    @ArchTest
    static final ArchRule networksKnowTheProtocolAndWhatASandboxIs = noClasses()
            .that()
            .resideInAPackage(room("network.."))
            .should()
            .dependOnClassesThat(resideInAnyPackage("dev.vivarium..")
                    .and(not(resideInAnyPackage(
                            "dev.vivarium.protocol..",
                            room("network.."),
                            room("driver"),
                            room("json"),
                            room("program"),
                            room("kernel")))));

    @ArchTest
    static final ArchRule whatASandboxIsKnowsNoDriver = noClasses()
            .that()
            .resideInAPackage(room("driver"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("driver.guest.."),
                    room("driver.linux.."),
                    room("driver.container.."),
                    room("driver.docker.."),
                    room("driver.oci.."),
                    room("driver.idle.."));

    @ArchTest
    static final ArchRule theChannelToAGuestKnowsNoDriver = noClasses()
            .that()
            .resideInAPackage(room("driver.guest.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("driver.linux.."),
                    room("driver.container.."),
                    room("driver.docker.."),
                    room("driver.oci.."),
                    room("driver.idle.."));

    @ArchTest
    static final ArchRule whatLinuxGivesKnowsNoDriver = noClasses()
            .that()
            .resideInAPackage(room("driver.linux.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    room("driver.guest.."),
                    room("driver.container.."),
                    room("driver.docker.."),
                    room("driver.oci.."),
                    room("driver.idle.."));

    @ArchTest
    static final ArchRule whatContainersShareKnowsNoDriver = noClasses()
            .that()
            .resideInAPackage(room("driver.container.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(room("driver.docker.."), room("driver.oci.."), room("driver.idle.."));

    /** The other way round, oci has its images and its walls from the engine's driver. */
    @ArchTest
    static final ArchRule theEnginesDriverDoesNotKnowOci = noClasses()
            .that()
            .resideInAPackage(room("driver.docker.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(room("driver.oci.."), room("driver.idle.."));

    @ArchTest
    static final ArchRule driversDoNotKnowEachOther = noClasses()
            .that()
            .resideInAPackage(room("driver.idle.."))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(room("driver.docker.."), room("driver.oci.."));

    @ArchTest
    static final ArchRule theEngineIsSpokenToInItsDriverOnly = noClasses()
            .that()
            .resideOutsideOfPackage(room("driver.docker.."))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.github.dockerjava..");

    /** What only trials and benchmarks need is in modules of their own, and looks at a node from outside. */
    @ArchTest
    static final ArchRule theNodeHasNoTrialAndNoBenchmark = noClasses()
            .that()
            .resideInAPackage(NODE + "..")
            .should()
            .resideInAnyPackage("..trial..", "..trials..", "..abuse..", "..bench..", "..benchmark..")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.vivarium.trials..", "dev.vivarium.loadtests..");

    @ArchTest
    static final ArchRule packagesOfTheNodeHaveNoCycles =
            slices().matching(NODE + ".(*)..").should().beFreeOfCycles();

    /** Time is a parameter, so that tests decide it; what waits for processes of a local cluster is on the machine's time. */
    @ArchTest
    static final ArchRule theMachinesClocksAreReadByTheNodesClockOnly = noClasses()
            .that()
            .resideInAPackage(NODE + "..")
            .and()
            .resideOutsideOfPackage(room("clock"))
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(LocalDateTime.class, "now");

    @ArchTest
    static void everyPackageThatARuleNamesHasClasses(JavaClasses classes) {
        assertThat(ROOMS).allSatisfy(room -> assertThat(classes).as(room).anyMatch(found -> PackageMatcher.of(room)
                .matches(found.getPackageName())));
    }

    /** A package of the node; with two dots at the end, those below it too. */
    private static String room(String name) {
        String room = NODE + "." + name;
        ROOMS.add(room);
        return room;
    }

    /** Maven gives a module the tests of another as a jar from the phase "package" on, and as a folder before. */
    static final class NoJarsOfTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }
}
