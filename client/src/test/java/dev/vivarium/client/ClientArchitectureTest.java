package dev.vivarium.client;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The client depends on the protocol and JSON, and on nothing of a node. */
@AnalyzeClasses(packages = "dev.vivarium", importOptions = ImportOption.DoNotIncludeTests.class)
final class ClientArchitectureTest {
    @ArchTest
    static final ArchRule theClientKnowsTheProtocolOnly = noClasses()
            .that()
            .resideInAPackage("dev.vivarium.client..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.vivarium.persistence..",
                    "dev.vivarium.node..",
                    "dev.vivarium.terminal..",
                    "org.apache.pekko..",
                    "picocli..");
}
