package dev.vivarium.node.driver.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an agent cannot do to its guest, its files and its limits, whatever made its sandbox. */
@SandboxKind.EachContainer
class SandboxWallsTest {
    @RegisterExtension
    final TestSandboxes sandboxes;

    private Live sandbox;

    SandboxWallsTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @BeforeEach
    void makeSandbox() {
        sandbox = sandboxes.create(new SandboxTemplate(
                TestSandboxes.IMAGE,
                Isolation.CONTAINER,
                Limits.SMALLEST
                        .with(Limit.CPU, "500m")
                        .with(Limit.MEMORY, "64Mi")
                        .with(Limit.SHARED_MEMORY, "64Mi")
                        .with(Limit.PIDS, 20L)
                        .with(Limit.DISK, "16Mi")
                        .with(Limit.FILES, 2_047L),
                Optional.empty()));
    }

    @AfterEach
    void destroySandbox() {
        sandboxes.destroy(sandbox);
    }

    @Test
    void theAgentCannotTouchTheGuest() {
        String answers = sandbox.python(
                1,
                """
                import os
                def tried(what):
                    try:
                        return what() or 'done'
                    except OSError as error:
                        return type(error).__name__
                print(tried(lambda: os.kill(1, 9)), tried(lambda: os.kill(1, 0)))
                print(tried(lambda: open('/proc/1/mem', 'rb')), tried(lambda: open('/proc/1/environ').read()))
                print(tried(lambda: os.listdir('/proc/1/fd')), tried(lambda: os.readlink('/proc/1/root')))
                print(tried(lambda: open('/.vivarium/vivarium-init', 'ab')), tried(lambda: os.unlink('/.vivarium/vivarium-init')))
                """);

        assertThat(answers.split("\\s+")).containsOnly("PermissionError").hasSize(8);
        assertThat(sandbox.heard().isClosed()).isFalse();
    }

    @Test
    void theAgentCanWriteToItsWorkspaceAndTmpOnly() {
        String writable = sandbox.python(
                1,
                """
                import os
                found = []
                for top, folders, files in os.walk('/'):
                    folders[:] = [name for name in folders if os.path.join(top, name) not in ('/proc', '/sys')]
                    try:
                        name = os.path.join(top, 'probe')
                        open(name, 'w').close()
                        os.unlink(name)
                        found.append(top)
                    except OSError:
                        pass
                print(sorted(found))
                """);

        assertThat(writable).isEqualTo("['/dev/mqueue', '/dev/shm', '/tmp', '/workspace']");
    }

    @Test
    void theWorkspaceIsLimitedInSize() {
        String answer = sandbox.python(
                1,
                """
                import os
                written = 0
                try:
                    with open('/workspace/big', 'wb', buffering=0) as big:
                        while True:
                            written += big.write(b'x' * 65536)
                except OSError as error:
                    print(written >> 20, error.errno)
                """);

        assertThat(answer).isEqualTo("16 28");
    }

    @Test
    void theSandboxSeesItsOwnProcessesOnly() {
        String answer = sandbox.python(
                1,
                """
                import os
                print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()) == [1, os.getpid()])
                print(os.uname().nodename)
                """);

        assertThat(answer).isEqualTo("True\nsandbox");
    }
}
