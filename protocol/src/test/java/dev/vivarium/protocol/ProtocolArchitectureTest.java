package dev.vivarium.protocol;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.vivarium.protocol.audit.Verify;

@AnalyzeClasses(packages = "dev.vivarium", importOptions = ImportOption.DoNotIncludeTests.class)
class ProtocolArchitectureTest {
    @ArchTest
    static final ArchRule theLanguageDependsOnNothingButAnnotations = classes()
            .that()
            .resideInAPackage("dev.vivarium.protocol..")
            // A program as well, which strangers run by its one file: it reads and prints.
            .and(DescribedPredicate.not(JavaClass.Predicates.belongToAnyOf(Verify.class)))
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "dev.vivarium.protocol..",
                    "java.lang..",
                    "java.math..",
                    "java.net..",
                    "java.nio..",
                    "java.security..",
                    "java.time..",
                    "java.util..",
                    "com.fasterxml.jackson.annotation..",
                    "org.jspecify.annotations..")
            .because("records outlive the code around them, and files, threads and sockets belong to other modules");

    @ArchTest
    static final ArchRule itsPackagesDoNotDependOnEachOtherInCircles = SlicesRuleDefinition.slices()
            .matching("dev.vivarium.protocol.(*)..")
            .should()
            .beFreeOfCycles();
}
