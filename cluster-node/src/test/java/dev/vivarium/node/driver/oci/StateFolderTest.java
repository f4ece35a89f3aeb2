package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.ListedSandbox;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFolderTest {
    private final AttemptName first = new AttemptName(new RunId(newId().value()), 1);
    private final AttemptName second = new AttemptName(first.run(), 2);

    @TempDir
    private Path temporary;

    private Path state;

    @BeforeEach
    void begin() {
        assumeTrue("root".equals(System.getProperty("user.name")), "The folder must be root's.");
        state = temporary.resolve("state");
    }

    @Test
    void aSecondNodeOfTheSameNameIsRefused() throws IOException {
        StateFolder living = StateFolder.open(state, "here", "node-1");

        assertThatThrownBy(() -> StateFolder.open(state, "here", "node-1"))
                .hasMessage("Another node of this name and installation runs on this machine.");
        StateFolder.open(state, "here", "node-2").close();
        StateFolder.open(state, "elsewhere", "node-1").close();

        living.close();
        StateFolder.open(state, "here", "node-1").close();
    }

    @Test
    void anAttemptIsClaimedOnceAcrossNodes() throws IOException {
        try (StateFolder one = StateFolder.open(state, "here", "node-1");
                StateFolder two = StateFolder.open(state, "here", "node-2")) {
            SandboxId mine = newId();
            one.begin(mine);
            SandboxId other = newId();
            two.begin(other);
            one.claim(mine, first);
            one.claim(mine, first);

            assertThatThrownBy(() -> two.claim(other, first))
                    .isInstanceOfSatisfying(DriverException.class, refused -> assertThat(refused.kind())
                            .isEqualTo(DriverException.Kind.ATTEMPT_CLAIMED));

            two.claim(other, second);
            two.remove(one.name(mine));
            two.remove(two.name(other));
            assertThat(one.all()).isEmpty();
            assertThat(one.earlier(new AttemptName(first.run(), 3))).isEmpty();
        }
    }

    /** The claim of a sandbox that was destroyed in the same moment. */
    @Test
    void aClaimWithoutASandboxIsFoundAndRemoved() throws IOException {
        try (StateFolder one = StateFolder.open(state, "here", "node-1")) {
            SandboxId gone = newId();
            Path folder = one.begin(gone);
            one.claim(gone, first);
            PrivateFolder.removeTree(folder);

            assertThat(one.all()).containsExactly(one.name(gone));
            one.remove(one.name(gone));

            SandboxId next = newId();
            one.begin(next);
            one.claim(next, first);
            assertThat(one.all()).containsExactly(one.name(next));
        }
    }

    @Test
    void theSandboxesOfEarlierAttemptsAreFoundWithTheirOwners() throws IOException {
        try (StateFolder one = StateFolder.open(state, "here", "node-1");
                StateFolder two = StateFolder.open(state, "here", "node-2")) {
            SandboxId earlier = newId();
            two.begin(earlier);
            two.claim(earlier, first);
            SandboxId waiting = newId();
            one.begin(waiting);

            assertThat(one.earlier(second))
                    .containsExactly(new ListedSandbox(earlier, new ListedSandbox.OtherNode("node-2")));
            assertThat(one.earlier(first)).isEmpty();
            assertThat(one.all()).extracting(StateFolder.Name::id).containsExactlyInAnyOrder(earlier, waiting);
        }
    }

    @Test
    void theImagesOfAllInstallationsAreInUse() throws IOException {
        try (StateFolder one = StateFolder.open(state, "here", "node-1");
                StateFolder two = StateFolder.open(state, "elsewhere", "node-1")) {
            Files.writeString(one.begin(newId()).resolve(StateFolder.IMAGE), "sha256:01");
            Files.writeString(two.begin(newId()).resolve(StateFolder.IMAGE), "sha256:02");

            assertThat(StateFolder.usedImages(state)).isEqualTo(Set.of("01", "02"));
        }
    }

    @Test
    void aFolderAccessibleToOtherUsersIsRefused() throws IOException {
        Files.createDirectory(
                state, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));

        assertThatThrownBy(() -> StateFolder.open(state, "here", "node-1"))
                .hasMessage(state + " must belong to root and be closed to others (chown root " + state + "; chmod 700 "
                        + state + ").");
    }

    private static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }
}
