package dev.vivarium.node.driver.docker;

import dev.vivarium.protocol.run.Isolation;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The kinds of sandboxes that a machine may have. What an agent gets depends on the isolation class, not on the driver. */
enum SandboxKind {
    CONTAINER_OF_THE_ENGINE(Isolation.CONTAINER, Driver.DOCKER, Birth.FRESH),
    GVISOR_OF_THE_ENGINE(Isolation.GVISOR, Driver.DOCKER, Birth.FRESH),
    CONTAINER_OF_A_RUNTIME(Isolation.CONTAINER, Driver.OCI, Birth.FRESH),
    GVISOR_OF_A_RUNTIME(Isolation.GVISOR, Driver.OCI, Birth.FRESH),
    /** Created with the limits of a sandbox that waits, and claimed for those of the test. */
    CONTAINER_THAT_WAITED(Isolation.CONTAINER, Driver.OCI, Birth.IN_THE_POOL),
    GVISOR_THAT_WAITED(Isolation.GVISOR, Driver.OCI, Birth.IN_THE_POOL);

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

    /** Runs a test class once for each kind, which its constructor takes. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedClass(name = "{0}")
    @EnumSource(SandboxKind.class)
    @interface Each {}

    /** Runs a test class once for each kind that shares the machine's kernel. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedClass(name = "{0}")
    @EnumSource(
            value = SandboxKind.class,
            names = {"CONTAINER_OF_THE_ENGINE", "CONTAINER_OF_A_RUNTIME", "CONTAINER_THAT_WAITED"})
    @interface EachContainer {}

    /** Runs a test class once for each kind with a kernel of its own. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedClass(name = "{0}")
    @EnumSource(
            value = SandboxKind.class,
            names = {"GVISOR_OF_THE_ENGINE", "GVISOR_OF_A_RUNTIME", "GVISOR_THAT_WAITED"})
    @interface EachGvisor {}
}
