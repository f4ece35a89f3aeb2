package dev.vivarium.persistence;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.vivarium.persistence.store.MonotonicClock;
import java.time.Instant;

@AnalyzeClasses(packages = "dev.vivarium", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String BASE = "dev.vivarium.persistence";

    @ArchTest
    static final ArchRule persistenceKnowsNothingOfNodes = noClasses()
            .that()
            .resideInAPackage(BASE + "..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.vivarium.node..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching(BASE + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule importsPointOneWay = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("embedded")
            .definedBy(BASE + ".embedded..")
            .layer("postgres")
            .definedBy(BASE + ".postgres..")
            .layer("cassandra")
            .definedBy(BASE + ".cassandra..")
            .layer("content")
            .definedBy(BASE + ".content..")
            .layer("follow")
            .definedBy(BASE + ".follow..")
            .layer("store")
            .definedBy(BASE + ".store..")
            .layer("secrets")
            .definedBy(BASE + ".secrets..")
            .layer("audit")
            .definedBy(BASE + ".audit..")
            .layer("journal")
            .definedBy(BASE + ".journal..")
            .layer("retention")
            .definedBy(BASE + ".retention..")
            .layer("durable")
            .definedBy(BASE + ".durable..")
            .whereLayer("embedded")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("postgres")
            .mayOnlyBeAccessedByLayers("embedded")
            .whereLayer("cassandra")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("content")
            .mayOnlyBeAccessedByLayers("embedded", "postgres", "cassandra")
            .whereLayer("follow")
            .mayOnlyBeAccessedByLayers("postgres", "cassandra", "content", "retention")
            .whereLayer("store")
            .mayOnlyBeAccessedByLayers("embedded", "postgres", "cassandra", "content", "retention")
            .whereLayer("retention")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("secrets")
            .mayOnlyBeAccessedByLayers("embedded", "postgres", "cassandra", "store")
            .whereLayer("audit")
            .mayOnlyBeAccessedByLayers("embedded", "postgres", "cassandra", "store", "retention")
            .whereLayer("journal")
            .mayOnlyBeAccessedByLayers(
                    "embedded", "postgres", "cassandra", "content", "follow", "store", "secrets", "audit", "retention")
            .whereLayer("durable")
            .mayOnlyBeAccessedByLayers("embedded", "postgres", "cassandra", "secrets");

    @ArchTest
    static final ArchRule theFollowerKnowsJournalAndContractsOnly = noClasses()
            .that()
            .resideInAPackage(BASE + ".follow..")
            .should()
            .dependOnClassesThat(resideInAPackage(BASE + "..")
                    .and(resideOutsideOfPackages(BASE + ".follow..", BASE + ".journal..", BASE + ".store..")))
            .allowEmptyShould(false);

    @ArchTest
    static final ArchRule everyStoresListsFollowByTheFollower = classes()
            .that()
            .haveSimpleNameEndingWith("RunFeed")
            .should()
            .implement(BASE + ".follow.JournalFeed")
            .allowEmptyShould(false);

    @ArchTest
    static final ArchRule timeIsAParameter = noClasses()
            .that()
            .resideInAPackage(BASE + "..")
            .and()
            .doNotHaveFullyQualifiedName(MonotonicClock.class.getName())
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now");

    @ArchTest
    static final ArchRule contractsAndTheirPureParts = noClasses()
            .that()
            .resideInAnyPackage(
                    BASE + ".journal..", BASE + ".store..", BASE + ".content..", BASE + ".follow..", BASE + ".audit..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.sql..", "java.nio.file..", "com.zaxxer..");
}
