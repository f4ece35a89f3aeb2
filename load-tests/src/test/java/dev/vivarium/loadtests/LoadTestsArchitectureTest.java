package dev.vivarium.loadtests;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** A benchmark measures a node as a process, through its API, and shares only a node's surroundings with trials. */
@AnalyzeClasses(packages = "dev.vivarium.loadtests", importOptions = ImportOption.DoNotIncludeTests.class)
final class LoadTestsArchitectureTest {
    @ArchTest
    static final ArchRule benchmarksKnowTheClientAndNoNode = classes()
            .should()
            .onlyDependOnClassesThat(DescribedPredicate.not(resideInAPackage("dev.vivarium.."))
                    .or(resideInAnyPackage(
                            "dev.vivarium.loadtests..",
                            "dev.vivarium.trials.outside..",
                            "dev.vivarium.client..",
                            "dev.vivarium.protocol..")));
}
