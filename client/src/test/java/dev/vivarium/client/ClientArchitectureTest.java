package dev.vivarium.client;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** A user of the client gets the language and JSON with it, and nothing of a node. */
@AnalyzeClasses(packages = "dev.vivarium", importOptions = ImportOption.DoNotIncludeTests.class)
final class ClientArchitectureTest {
    @ArchTest
    static final ArchRule theClientKnowsTheProtocolOnly = noClasses()
            .that()
            .resideInAPackage("dev.vivarium.client..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.vivarium.persistence..", "dev.vivarium.node..", "org.apache.pekko..", "picocli..");
}
