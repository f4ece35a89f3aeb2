package dev.vivarium.terminal;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Command lines share this module, so it depends on the client and picocli, and on nothing of a node. */
@AnalyzeClasses(packages = "dev.vivarium.terminal", importOptions = ImportOption.DoNotIncludeTests.class)
final class TerminalArchitectureTest {
    @ArchTest
    static final ArchRule whatCommandLinesShareKnowsTheClientAndTheProtocolOnly = classes()
            .should()
            .onlyDependOnClassesThat(DescribedPredicate.or(
                    resideInAnyPackage("dev.vivarium.terminal..", "dev.vivarium.client..", "dev.vivarium.protocol.."),
                    resideInAnyPackage("java..", "org.jspecify..", "picocli..")));
}
