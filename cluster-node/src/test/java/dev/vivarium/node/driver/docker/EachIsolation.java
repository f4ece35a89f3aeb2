package dev.vivarium.node.driver.docker;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vivarium.protocol.run.Isolation;
import java.io.File;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs a test class once for each available isolation class, which its constructor takes. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass(name = "{0}")
@EnumSource(
        value = Isolation.class,
        names = {"CONTAINER", "GVISOR"})
public @interface EachIsolation {
    /** The isolation classes of this machine. */
    final class Here {
        private Here() {}

        /** Tests of gVisor are skipped where it is not installed, and fail where it is but the engine does not offer it. */
        public static void assume(Isolation isolation, Set<Isolation> offered) {
            boolean installed = Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, "runsc")));
            assumeTrue(
                    offered.contains(isolation) || (isolation == Isolation.GVISOR && installed),
                    () -> "This machine does not support the isolation class " + isolation + ".");
        }
    }
}
