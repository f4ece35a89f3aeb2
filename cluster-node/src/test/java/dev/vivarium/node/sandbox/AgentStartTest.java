package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.archive.UnpackStep;
import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.run.FileMode;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

class AgentStartTest {
    private static final int ENOENT = 2;
    private static final int EISDIR = 21;

    @Test
    void aHardLinkToWhatIsNotThereSaysSoAndWhatToPack() {
        UnpackStep link = new UnpackStep.Link("/workspace/b", LinkKind.HARD, "/workspace/a");

        assertThat(AgentStart.fileRefused(link, ENOENT).message())
                .isEqualTo("The link /workspace/b could not be made (no such file or directory): it is another name of"
                        + " /workspace/a, which must be a file that comes before it in the archive, and not through a"
                        + " link. Pack that too, or the content in place of the link (tar --hard-dereference).");
    }

    @Test
    void whatDoesNotFitSaysWhichLimitsToRaise() {
        UnpackStep folder = new UnpackStep.Folder("/workspace/a", FileMode.PLAIN);

        assertThat(AgentStart.fileRefused(folder, Errno.ENOSPC).message())
                .startsWith("The folder /workspace/a could not be made (no space left): raise limits.disk");
    }

    @Test
    void aFileInThePlaceOfAFolderIsNotAskedToBeSmaller() {
        UnpackStep file = UnpackStep.Part.of("/workspace/a", FileMode.PLAIN, 0, 0, ByteString.emptyByteString());

        assertThat(AgentStart.fileRefused(file, EISDIR).message())
                .startsWith("The file /workspace/a could not be made (is a directory)")
                .doesNotContain("limits.disk");
    }
}
