package dev.vivarium.node.driver.docker;

import dev.vivarium.protocol.run.Isolation;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The kinds of sandboxes that a machine may have. What an agent gets depends on the isolation class, not on the driver. */
enum SandboxKind {
    CONTAINER_OF_THE_ENGINE(Isolation.CONTAINER, Driver.DOCKER, Birth.FRESH),
    GVISOR_OF_THE_ENGINE(Isolation.GVISOR, Driver.DOCKER, Birth.FRESH),
    CONTAINER_OF_A_RUNTIME(Isolation.CONTAINER, Driver.OCI, Birth.FRESH),
    GVISOR_OF_A_RUNTIME(Isolation.GVISOR, Driver.OCI, Birth.FRESH),
    /** Created with the limits of a sandbox that waits, and claimed for those of the test. */
    CONTAINER_THAT_WAITED(Isolation.CONTAINER, Driver.OCI, Birth.IN_THE_POOL),
    GVISOR_THAT_WAITED(Isolation.GVISOR, Driver.OCI, Birth.IN_THE_POOL);

    private static final Set<SandboxKind> IN_EACH_BUILD =
            Collections.unmodifiableSet(EnumSet.of(CONTAINER_OF_THE_ENGINE, CONTAINER_THAT_WAITED, GVISOR_THAT_WAITED));

    private final Isolation isolation;
    private final Driver driver;
    private final Birth birth;

    /** What creates sandboxes. */
    enum Driver {
        DOCKER,
        OCI
    }

    /** What a sandbox was created for. */
    enum Birth {
        FRESH,
        IN_THE_POOL
    }

    SandboxKind(Isolation isolation, Driver driver, Birth birth) {
        this.isolation = isolation;
        this.driver = driver;
        this.birth = birth;
    }

    boolean hasWaited() {
        return birth == Birth.IN_THE_POOL;
    }

    Isolation isolation() {
        return isolation;
    }

    Driver driver() {
        return driver;
    }

    /**
     * Runs a test class for the kinds of the build, or for all with {@code -Dvivarium.kinds=all}, as {@code ./vivarium test long}
     * does. One that has waited has been made by the same driver as a fresh one, and is claimed in addition.
     */
    @Target(ElementType.ANNOTATION_TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Tag("kinds")
    @ParameterizedClass(name = "{0}")
    private @interface Of {}

    /** Runs a test class once for each kind, which its constructor takes. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Of
    @MethodSource("dev.vivarium.node.driver.docker.SandboxKind#each")
    @interface Each {}

    /** Runs a test class once for each kind that shares the machine's kernel. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Of
    @MethodSource("dev.vivarium.node.driver.docker.SandboxKind#eachContainer")
    @interface EachContainer {}

    /** Runs a test class once for each kind with a kernel of its own. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Of
    @MethodSource("dev.vivarium.node.driver.docker.SandboxKind#eachGvisor")
    @interface EachGvisor {}

    /** Runs a test class for sandboxes of the engine in class container, in class gvisor as well where all kinds are run. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Of
    @MethodSource("dev.vivarium.node.driver.docker.SandboxKind#eachOfTheEngine")
    @interface EachOfTheEngine {}

    /** Runs a test class for a fresh sandbox of a runtime, in class gvisor as well where all kinds are run. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @Of
    @MethodSource("dev.vivarium.node.driver.docker.SandboxKind#eachOfARuntime")
    @interface EachOfARuntime {}

    static Set<SandboxKind> each() {
        return isEvery() ? EnumSet.allOf(SandboxKind.class) : IN_EACH_BUILD;
    }

    static List<SandboxKind> eachContainer() {
        return each().stream()
                .filter(kind -> kind.isolation == Isolation.CONTAINER)
                .toList();
    }

    static List<SandboxKind> eachGvisor() {
        return each().stream()
                .filter(kind -> kind.isolation == Isolation.GVISOR)
                .toList();
    }

    static List<SandboxKind> eachOfARuntime() {
        return isEvery() ? List.of(CONTAINER_OF_A_RUNTIME, GVISOR_OF_A_RUNTIME) : List.of(CONTAINER_OF_A_RUNTIME);
    }

    static List<Isolation> eachOfTheEngine() {
        return isEvery() ? List.of(Isolation.CONTAINER, Isolation.GVISOR) : List.of(Isolation.CONTAINER);
    }

    private static boolean isEvery() {
        return System.getProperty("vivarium.kinds", "").equals("all");
    }
}
