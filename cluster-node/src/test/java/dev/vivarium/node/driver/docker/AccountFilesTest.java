package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.protocol.guest.NodeFrame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The agent has a name, whatever its image and its driver. */
@SandboxKind.Each
class AccountFilesTest {
    private static final String ALONE = "agent:x:UID:UID:agent:/workspace:/bin/sh\nagent:x:UID:\n";

    @RegisterExtension
    final TestSandboxes sandboxes;

    private final String imported = "vivarium-test/accounts-" + newId();

    AccountFilesTest(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind);
    }

    @AfterEach
    void removeImage() {
        if (!Docker.run("images", "-q", imported).isEmpty()) {
            Docker.run("rmi", imported);
        }
    }

    @Test
    void theImagesAccountsAreThereAndTheAgentIsFirst() {
        Live sandbox = sandboxes.create();

        String answer = sandbox.python(
                1,
                """
                import grp, os, pwd
                me = pwd.getpwuid(os.getuid())
                print(me.pw_name, me.pw_dir, grp.getgrgid(os.getgid()).gr_name, pwd.getpwnam('agent').pw_uid == os.getuid())
                print(pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name)
                print([os.access(path, os.W_OK) for path in ('/etc/passwd', '/etc/group')])
                """);

        assertThat(answer).isEqualTo("agent /workspace agent True\nroot root\n[False, False]");
        sandboxes.destroy(sandbox);
    }

    @Test
    void anImageWithNoAccountsOfItsOwnHasTheAgents(@TempDir Path folder) throws Exception {
        assertThat(accounts(archive(printer(folder), "", ""))).isEqualTo(ALONE);
    }

    /** An engine follows links within the image; the node, which reads the image on its own disk, follows none. */
    @Test
    void anImageWithLinksInPlaceOfAccountsCanBeUsed(@TempDir Path folder) throws Exception {
        byte[] program = printer(folder);

        String accounts = accounts(archive(program, "etc/passwd", "/proc/self/environ"));

        if (sandboxes.kind().driver() == SandboxKind.Driver.OCI) {
            assertThat(accounts).isEqualTo(ALONE);
            assertThat(accounts(archive(program, "etc", "/sys"))).isEqualTo(ALONE);
        } else {
            assertThat(accounts).endsWith("agent:x:UID:\n");
        }
    }

    private String accounts(byte[] image) {
        Docker.run(image, "import", "-", imported);
        Live sandbox = sandboxes.create(sandboxes.template(imported));
        sandbox.start(1, "/print", "/etc/passwd", "/etc/group");
        int code = sandbox.heard().awaitEnd(1);
        String printed = sandbox.heard().output(1, NodeFrame.Stream.STDOUT);
        sandboxes.destroy(sandbox);
        Docker.run("rmi", imported);
        assertThat(code).as(printed).isZero();
        return printed.replace(Integer.toString(sandbox.id().agentUid()), "UID");
    }

    private static byte[] archive(byte[] program, String link, String target) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            TarArchiveEntry print = new TarArchiveEntry("print");
            print.setSize(program.length);
            print.setMode(0755);
            tar.putArchiveEntry(print);
            tar.write(program);
            tar.closeArchiveEntry();
            if (!link.isEmpty()) {
                if (link.startsWith("etc/")) {
                    tar.putArchiveEntry(new TarArchiveEntry("etc/"));
                    tar.closeArchiveEntry();
                }
                TarArchiveEntry entry = new TarArchiveEntry(link, TarConstants.LF_SYMLINK);
                entry.setLinkName(target);
                tar.putArchiveEntry(entry);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    /** A static program that prints files. */
    private static byte[] printer(Path folder) throws IOException, InterruptedException {
        Path source = Files.writeString(
                folder.resolve("print.c"),
                """
                #include <fcntl.h>
                #include <unistd.h>
                int main(int count, char **paths)
                {
                	char bytes[4096];
                	for (int i = 1; i < count; i++) {
                		int file = open(paths[i], O_RDONLY);
                		ssize_t size = read(file, bytes, sizeof(bytes));
                		if (size < 0 || write(1, bytes, (size_t)size) != size)
                			return 1;
                	}
                	return 0;
                }
                """);
        Path program = folder.resolve("print");
        Process compiler = new ProcessBuilder("musl-gcc", "-static", "-Os", "-o", program.toString(), source.toString())
                .inheritIO()
                .start();
        assertThat(compiler.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(compiler.exitValue()).isZero();
        return Files.readAllBytes(program);
    }
}
