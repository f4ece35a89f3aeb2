package dev.vivarium.trials;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Trials use a node as a user does: by its command line, its API, and its effects on the engine and the kernel. */
@AnalyzeClasses(packages = "dev.vivarium.trials", importOptions = ImportOption.DoNotIncludeTests.class)
final class TrialsArchitectureTest {
    private static final DescribedPredicate<JavaClass> OURS = resideInAPackage("dev.vivarium..");

    @ArchTest
    static final ArchRule trialsKnowTheClientAndNoNode = classes()
            .should()
            .onlyDependOnClassesThat(DescribedPredicate.not(OURS)
                    .or(resideInAnyPackage(
                            "dev.vivarium.trials..",
                            "dev.vivarium.terminal..",
                            "dev.vivarium.client..",
                            "dev.vivarium.protocol..")));

    @ArchTest
    static final ArchRule whatLooksFromOutsideKnowsNoTrial = classes()
            .that()
            .resideInAPackage("dev.vivarium.trials.outside..")
            .should()
            .onlyDependOnClassesThat(DescribedPredicate.not(OURS)
                    .or(resideInAnyPackage(
                            "dev.vivarium.trials.outside..", "dev.vivarium.client..", "dev.vivarium.protocol..")));

    @ArchTest
    static final ArchRule agentsKnowNoSuite = noClasses()
            .that()
            .resideInAPackage("dev.vivarium.trials.agents..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.vivarium.trials.abuse..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("dev.vivarium.trials.(*)..").should().beFreeOfCycles();
}
