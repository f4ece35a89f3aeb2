package dev.vivarium.node;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Data flows one way: HTTP, admission, run, sandbox, driver. No layer reaches round another. */
@AnalyzeClasses(packages = "dev.vivarium", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String NODE = "dev.vivarium.node";

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
            .resideInAPackage(NODE + ".http..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    NODE + ".sandbox..", NODE + ".driver..", NODE + ".assembly..", NODE + ".joining..", NODE + ".cli..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule admissionKnowsRunsAndNothingDeeper = noClasses()
            .that()
            .resideInAPackage(NODE + ".admission..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    NODE + ".http..",
                    NODE + ".sandbox..",
                    NODE + ".driver..",
                    NODE + ".assembly..",
                    NODE + ".joining..",
                    NODE + ".cli..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule runsKnowSandboxesAndNothingAbove = noClasses()
            .that()
            .resideInAPackage(NODE + ".run..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    NODE + ".http..",
                    NODE + ".admission..",
                    NODE + ".assembly..",
                    NODE + ".joining..",
                    NODE + ".cli..");

    @ArchTest
    static final ArchRule sandboxesKnowTheDriverAndNothingAbove = noClasses()
            .that()
            .resideInAPackage(NODE + ".sandbox..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    NODE + ".http..",
                    NODE + ".admission..",
                    NODE + ".run..",
                    NODE + ".driver.docker..",
                    NODE + ".assembly..",
                    NODE + ".joining..",
                    NODE + ".cli..");

    @ArchTest
    static final ArchRule driversKnowTheProtocolOnly = noClasses()
            .that()
            .resideInAPackage(NODE + ".driver..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.vivarium.persistence..",
                    NODE + ".http..",
                    NODE + ".admission..",
                    NODE + ".run..",
                    NODE + ".sandbox..",
                    NODE + ".assembly..",
                    NODE + ".joining..",
                    NODE + ".cli..");

    @ArchTest
    static final ArchRule egressKnowsTheProtocolAndWhatDriversAskOfIt = noClasses()
            .that()
            .resideInAPackage(NODE + ".network..")
            .should()
            .dependOnClassesThat(resideInAnyPackage("dev.vivarium..")
                    .and(not(resideInAnyPackage("dev.vivarium.protocol..", NODE + ".network..", NODE + ".driver"))));

    @ArchTest
    static final ArchRule theEngineIsSpokenToInItsDriverOnly = noClasses()
            .that()
            .resideOutsideOfPackage(NODE + ".driver.docker..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.github.dockerjava..");

    @ArchTest
    static final ArchRule packagesOfTheNodeHaveNoCycles =
            slices().matching(NODE + ".(*)..").should().beFreeOfCycles();
}
