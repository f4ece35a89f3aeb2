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
    CONTAINER_OF_THE_ENGINE(Isolation.CONTAINER, Driver.DOCKER),
    GVISOR_OF_THE_ENGINE(Isolation.GVISOR, Driver.DOCKER),
    CONTAINER_OF_A_RUNTIME(Isolation.CONTAINER, Driver.OCI),
    GVISOR_OF_A_RUNTIME(Isolation.GVISOR, Driver.OCI);

    private final Isolation isolation;
    private final Driver driver;

    /** What creates sandboxes. */
    enum Driver {
        DOCKER,
        OCI
    }

    SandboxKind(Isolation isolation, Driver driver) {
        this.isolation = isolation;
        this.driver = driver;
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
            names = {"CONTAINER_OF_THE_ENGINE", "CONTAINER_OF_A_RUNTIME"})
    @interface EachContainer {}

    /** Runs a test class once for each kind with a kernel of its own. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedClass(name = "{0}")
    @EnumSource(
            value = SandboxKind.class,
            names = {"GVISOR_OF_THE_ENGINE", "GVISOR_OF_A_RUNTIME"})
    @interface EachGvisor {}
}
