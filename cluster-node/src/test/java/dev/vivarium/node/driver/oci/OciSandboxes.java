package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.SandboxDriver;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.DockerDriverConfig;
import dev.vivarium.node.driver.docker.EachIsolation;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Gives each test a driver on this machine's runtimes, with a separate installation that must leave nothing behind. */
public final class OciSandboxes implements BeforeEachCallback, AfterEachCallback {
    private final Isolation isolation;
    private ExecutorService blocking;
    private OciDriverConfig config;
    private SandboxDriver driver;

    OciSandboxes(Isolation isolation) {
        this.isolation = isolation;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        assumeRoot();
        blocking = Executors.newCachedThreadPool();
        config = config("test-" + UlidCreator.getUlid().toLowerCase(), "node-1");
        driver = open(config, blocking);
        EachIsolation.Here.assume(isolation, driver.capabilities().isolations());
    }

    public static void assumeRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root can run OCI runtimes.");
    }

    public static OciDriverConfig config(String installation, String node) {
        return config(installation, node, "");
    }

    /** @param changes of keys of both drivers, as lines */
    static OciDriverConfig config(String installation, String node, String changes) {
        Config changed = ConfigFactory.parseString(changes);
        return OciDriverConfig.from(
                changed.withFallback(ConfigFactory.parseResources("oci-driver.conf")),
                DockerDriverConfig.from(
                        changed.withFallback(ConfigFactory.parseResources("docker-driver.conf")), installation, node));
    }

    public static SandboxDriver open(OciDriverConfig config, ExecutorService blocking) {
        OciSupport support = OciSupport.open(config, blocking, NodeClock.system());
        if (support instanceof OciSupport.Works works) {
            return works.driver();
        }
        throw new AssertionError(support);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        driver.close();
        blocking.shutdownNow();
        assertThat(left(config)).as("what is left").isEmpty();
    }

    /** Folders and control groups of sandboxes of the installation; those of others come and go meanwhile. */
    public static List<String> left(OciDriverConfig config) {
        String mark = StateFolder.mark(config.engine().installation());
        Path groups = Path.of("/sys/fs/cgroup");
        try (Stream<Path> hierarchies = Files.list(groups)) {
            Stream<Path> ofGroups = Stream.concat(Stream.of(groups), hierarchies)
                    .map(hierarchy -> hierarchy.resolve("vivarium").resolve(mark));
            return Stream.concat(Stream.of(config.state().resolve(mark)), ofGroups)
                    .flatMap(OciSandboxes::found)
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static Stream<String> found(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Stream.empty();
        }
        try (Stream<Path> all = Files.find(
                folder,
                3,
                (file, is) -> is.isDirectory() && file.getFileName().toString().matches("[0-9a-z]{26}"))) {
            return all.map(Path::toString).toList().stream();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    SandboxDriver driver() {
        return driver;
    }

    OciDriverConfig config() {
        return config;
    }

    SandboxTemplate template() {
        return template("vivarium/python", isolation);
    }

    static SandboxTemplate template(String image, Isolation isolation) {
        return new SandboxTemplate(
                image,
                isolation,
                Limits.SMALLEST
                        .with(Limit.CPU, "1")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.PIDS, 64L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty());
    }
}
