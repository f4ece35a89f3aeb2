package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.DockerDriverConfig.PullPolicy;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@EachIsolation
class ImageTest {
    private static final int ENOENT = 2;

    /** An empty tar archive. */
    private static final byte[] EMPTY_ARCHIVE = new byte[1024];

    @RegisterExtension
    final TestSandboxes sandboxes;

    ImageTest(Isolation isolation) {
        sandboxes = new TestSandboxes(isolation);
    }

    private final String imported = "vivarium-test/imported-" + newId();

    @AfterEach
    void removeImage() {
        if (!Docker.run("images", "-q", imported).isEmpty()) {
            Docker.run("rmi", imported);
        }
    }

    @Test
    void anEmptyImageIsSufficient(@TempDir Path folder) throws Exception {
        // given
        Docker.run(EMPTY_ARCHIVE, "import", "-", imported);
        Blob program = Blob.of(staticProgram(folder));
        Live sandbox = sandboxes.create(sandboxes.template(imported));

        // when
        int agent = sandbox.id().agentUid();
        sandbox.channel().send(new NodeFrame.WriteFile(1, "/workspace/bin/hello", 0755, agent, agent, 0, program));
        assertThat(sandbox.heard().await(GuestFrame.Done.class).errno()).isZero();
        sandbox.start(1, "/workspace/bin/hello");

        // then
        assertThat(sandbox.heard().awaitEnd(1)).isEqualTo(3);
        assertThat(sandbox.heard().output(1, NodeFrame.Stream.STDOUT)).isEqualTo("hello\n");
        sandboxes.destroy(sandbox);
    }

    /** An image like {@code FROM scratch} with one copied program: no shell, no libraries, no /etc, no /tmp. */
    @Test
    void anImageWithOneStaticProgramIsSufficient(@TempDir Path folder) throws Exception {
        // given
        Docker.run(TestArchive.of("bin/agent", staticProgram(folder)), "import", "-", imported);
        Live sandbox = sandboxes.create(sandboxes.template(imported));

        // when
        sandbox.start(1, "agent");
        sandbox.start(2, "/bin/agent");
        sandbox.start(3, "sh", "-c", "agent");

        // then
        assertThat(sandbox.heard().awaitEnd(1)).isEqualTo(3);
        assertThat(sandbox.heard().output(1, NodeFrame.Stream.STDOUT)).isEqualTo("hello\n");
        assertThat(sandbox.heard().awaitEnd(2)).isEqualTo(3);
        assertThat(sandbox.heard().await(GuestFrame.SpawnFailed.class))
                .isEqualTo(new GuestFrame.SpawnFailed(3, GuestFrame.Stage.EXEC, ENOENT));
        sandbox.channel().send(new NodeFrame.KillAll(0));
        sandbox.heard().await(GuestFrame.AllGone.class);
        sandboxes.destroy(sandbox);
    }

    @Test
    void aMissingInterpreterIsReportedForAScript() {
        Docker.run(EMPTY_ARCHIVE, "import", "-", imported);
        Live sandbox = sandboxes.create(sandboxes.template(imported));

        int agent = sandbox.id().agentUid();
        sandbox.channel()
                .send(new NodeFrame.WriteFile(
                        1, "/workspace/run", 0755, agent, agent, 0, Blob.ofUtf8("#!/bin/sh\necho hello\n")));
        sandbox.start(1, "/workspace/run");

        assertThat(sandbox.heard().await(GuestFrame.SpawnFailed.class))
                .isEqualTo(new GuestFrame.SpawnFailed(1, GuestFrame.Stage.INTERPRETER, ENOENT));
        sandboxes.destroy(sandbox);
    }

    @Test
    void startSettingsOfTheImageAreIgnored() {
        Docker.run(
                EMPTY_ARCHIVE,
                "import",
                "--change",
                "ENTRYPOINT [\"/nothing\"]",
                "--change",
                "CMD [\"at all\"]",
                "--change",
                "WORKDIR /deep/in/there",
                "--change",
                "USER 4711",
                "--change",
                "HEALTHCHECK CMD /nothing",
                "-",
                imported);

        Live sandbox = sandboxes.create(sandboxes.template(imported));

        sandboxes.destroy(sandbox);
    }

    @Test
    void anImageThatDeclaresVolumesIsRefused() {
        Docker.run(EMPTY_ARCHIVE, "import", "--change", "VOLUME /data", "-", imported);

        DriverException refusal = refusalOf(sandboxes.template(imported));

        assertThat(refusal.kind()).isEqualTo(Kind.IMAGE_REFUSED);
        assertThat(refusal).hasMessageContaining("VOLUME").hasMessageContaining("/data");
    }

    @Test
    void aMissingImageIsReportedWithAdvice() {
        DriverException refusal = refusalOf(sandboxes.template("vivarium/no-such-image:1.0"));

        assertThat(refusal.kind()).isEqualTo(Kind.IMAGE_UNAVAILABLE);
        assertThat(refusal).hasMessageContaining("vivarium/no-such-image:1.0").hasMessageContaining("Pull or build");
    }

    @Test
    void anImageWhoseRegistryDoesNotAnswerIsUnavailable() {
        DockerDriverConfig fetching = sandboxes.config().withPullPolicy(PullPolicy.MISSING);
        DockerDriver driver = DockerDriver.open(fetching, sandboxes.blocking(), NodeClock.system());

        DriverException refusal = failure(driver.create(
                newId(),
                sandboxes.template("127.0.0.1:1/no/such:image"),
                new Purpose.ToWait(),
                new RecordingListener()));

        assertThat(refusal.kind()).isEqualTo(Kind.IMAGE_UNAVAILABLE);
        assertThat(refusal).hasMessageContaining("127.0.0.1:1/no/such:image");
        driver.close();
    }

    @Test
    void anImageIsAlsoFoundByItsId() {
        String id = Docker.run("images", "-q", "--no-trunc", TestSandboxes.IMAGE);

        Live sandbox = sandboxes.create(sandboxes.template(id));

        sandboxes.destroy(sandbox);
    }

    @Test
    void unavailableEgressAndIsolationAreRefused() {
        SandboxTemplate plain = sandboxes.template();

        NetworkAccess internet = new NetworkAccess(EgressPolicy.publicInternet(), 1000);
        assertThat(failure(sandboxes
                        .withNetworks()
                        .make(newId(), plain, new Purpose.ToWait(), internet, new RecordingListener())))
                .hasMessage("These tests give sandboxes no network.")
                .extracting(DriverException::kind)
                .isEqualTo(Kind.REFUSED);
        assertThat(refusalOf(withIsolation(plain, Isolation.MICROVM)))
                .hasMessageContaining("Isolation microvm is not available")
                .extracting(DriverException::kind)
                .isEqualTo(Kind.REFUSED);
    }

    private DriverException refusalOf(SandboxTemplate template) {
        return failure(sandboxes.driver().create(newId(), template, new Purpose.ToWait(), new RecordingListener()));
    }

    private static SandboxTemplate withIsolation(SandboxTemplate plain, Isolation isolation) {
        return new SandboxTemplate(plain.image(), isolation, plain.limits(), Optional.empty());
    }

    private static byte[] staticProgram(Path folder) throws IOException, InterruptedException {
        Path source = Files.writeString(
                folder.resolve("hello.c"),
                """
                #include <unistd.h>
                int main(void) { return write(1, "hello\\n", 6) == 6 ? 3 : 1; }
                """);
        Path program = folder.resolve("hello");
        Process compiler = new ProcessBuilder("musl-gcc", "-static", "-Os", "-o", program.toString(), source.toString())
                .inheritIO()
                .start();
        assertThat(compiler.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(compiler.exitValue()).isZero();
        return Files.readAllBytes(program);
    }
}
