package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.guest.GuestProgram;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each test uses a different program, since the volume of the real one is in use on this engine. */
class GuestVolumeTest {
    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes();

    private GuestProgram program;
    private String volume;
    private Engine engine;

    @BeforeEach
    void makeProgram() {
        byte[] guest = GuestProgram.load().bytes();
        byte[] suffix = newId().value().getBytes(StandardCharsets.US_ASCII);
        byte[] bytes = Arrays.copyOf(guest, guest.length + suffix.length);
        System.arraycopy(suffix, 0, bytes, guest.length, suffix.length);
        program = new GuestProgram(bytes);
        volume = "vivarium-guest-" + program.sha256().substring(0, 16);
        engine = newEngine();
    }

    @AfterEach
    void removeVolume() {
        engine.close();
        Docker.run("volume", "rm", "-f", volume);
    }

    @Test
    void aNewVolumeIsFilledWithTheWholeProgram() {
        newVolume(engine).ensure(TestSandboxes.IMAGE);

        assertThat(storedSha256()).isEqualTo(program.sha256());
        assertThat(sandboxes.containers()).isEmpty();
    }

    @Test
    void aDamagedProgramIsReplaced() {
        newVolume(engine).ensure(TestSandboxes.IMAGE);
        byte[] damaged = program.bytes();
        damaged[1000] ^= 1;
        putIntoVolume(damaged);

        newVolume(engine).ensure(TestSandboxes.IMAGE);

        assertThat(storedSha256()).isEqualTo(program.sha256());
    }

    @Test
    void aVolumeThatAgentsCouldEnterIsClosedAgain() {
        newVolume(engine).ensure(TestSandboxes.IMAGE);
        inVolume("chmod", "755", "/v");

        newVolume(engine).ensure(TestSandboxes.IMAGE);

        assertThat(inVolume("stat", "-c", "%a %u", "/v")).isEqualTo("700 0");
    }

    @Test
    void aProgramOfTheSamePathInTheImageIsNotUsed() {
        String image = "vivarium-test/foreign-guest-" + newId();
        Docker.run(TestArchive.of(".vivarium/vivarium-init", new byte[] {1, 2, 3}), "import", "-", image);
        try {
            newVolume(engine).ensure(image);

            assertThat(storedSha256()).isEqualTo(program.sha256());
        } finally {
            Docker.run("rmi", image);
        }
    }

    @Test
    void severalNodesMayFillOneVolumeConcurrently() throws Exception {
        List<Future<?>> fillings = new ArrayList<>();
        for (int node = 0; node < 4; node++) {
            fillings.add(sandboxes.blocking().submit(() -> {
                try (Engine own = newEngine()) {
                    newVolume(own).ensure(TestSandboxes.IMAGE);
                }
            }));
        }
        for (Future<?> filling : fillings) {
            filling.get();
        }

        assertThat(storedSha256()).isEqualTo(program.sha256());
        assertThat(sandboxes.containers()).isEmpty();
    }

    private GuestVolume newVolume(Engine through) {
        return new GuestVolume(through, program, new Labels(sandboxes.config()));
    }

    private Engine newEngine() {
        DockerDriverConfig config = sandboxes.config();
        return new Engine(EngineAddress.of(config.engine()), config.connectTimeout(), config.responseTimeout());
    }

    private void putIntoVolume(byte[] bytes) {
        String carrier = "vivarium-test-" + newId();
        Docker.run("create", "--name", carrier, "--network", "none", "-v", volume + ":/v", TestSandboxes.IMAGE);
        try {
            Docker.run(TestArchive.of("vivarium-init", bytes), "cp", "-", carrier + ":/v");
        } finally {
            Docker.run("rm", "-f", carrier);
        }
    }

    private String storedSha256() {
        String printed = inVolume("sha256sum", "/v/vivarium-init");
        return printed.substring(0, printed.indexOf(' '));
    }

    private String inVolume(String... command) {
        List<String> run = new ArrayList<>(List.of("run", "--rm", "--network", "none", "--log-driver", "none"));
        run.addAll(List.of("-v", volume + ":/v", "--entrypoint", command[0], TestSandboxes.IMAGE));
        run.addAll(List.of(command).subList(1, command.length));
        return Docker.run(run.toArray(String[]::new));
    }
}
