package dev.vivarium.node.cli;

import static dev.vivarium.client.ScriptedNode.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.client.ScriptedNode;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.LogKeys;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a stranger, and the keeper of a log's keys, do by command. */
class AuditProofCommandsTest {
    private static final String RUN = "01jd4h5s2m8x7k9q3v6w0t1y2z";

    @TempDir
    private Path home;

    private final CommandLineFixture line = new CommandLineFixture();
    private ScriptedNode node;

    @BeforeEach
    void start() throws IOException {
        node = new ScriptedNode();
        line.against(node).home = home;
    }

    @AfterEach
    void stop() {
        node.close();
    }

    /** The proof of a run that is alone in its log. */
    private static String proof(LogKey key, String type) {
        byte[] previous = Verify.genesis(RUN);
        byte[] leaf = Verify.leafHash(Verify.leaf(RUN, 1, Verify.eventHash(previous, type, 1, new byte[0])));
        Base64.Encoder base64 = Base64.getEncoder();
        String text = key.name() + "\n1\n" + base64.encodeToString(leaf) + "\n";
        return Verify.FORMAT + "\nrun " + RUN + "\nevent 1 0 " + type + " 1 " + base64.encodeToString(previous)
                + " \n\n" + text + "\n" + key.signature(text);
    }

    @Test
    void aProofInAFileIsVerifiedWithoutANode() throws IOException {
        LogKey key = LogKey.create("example.org/log");
        Path file = Files.writeString(home.resolve("run.proof"), proof(key, "RunLost"));

        assertThat(line.run("audit", "verify", file.toString(), "--key", key.verifier()))
                .isZero();
        assertThat(line.printed()).startsWith("PROVEN\nRun " + RUN);

        Files.writeString(file, proof(key, "RunLost").replace("RunLost", "RunKilled"));
        assertThat(line.run("audit", "verify", file.toString(), "--key", key.verifier()))
                .isEqualTo(ExitCode.UNEXPECTED);
        assertThat(line.printed()).contains("NOT PROVEN\nEvent 1 (RunKilled, position 0) was changed");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theProofOfARunIsFetchedAndVerifiedByTheKeyOfTheNodesOwnHome() throws IOException {
        Path keys = Files.createDirectories(home.resolve("data")).resolve("audit-log.key");
        assertThat(line.run("audit", "key", keys.toString(), "--new", "example.org/log"))
                .isZero();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keys)))
                .isEqualTo("rw-------");
        LogKey key = LogKeys.parse(Files.readString(keys)).signers().get(0);
        assertThat(line.printed()).isEqualTo(key.verifier() + "\n");
        node.on("GET /v1/runs/" + RUN + "/proof", json(200, proof(key, "RunLost")));

        assertThat(line.run("audit", "verify", RUN)).isZero();
        assertThat(line.run("audit", "proof", RUN)).isZero();

        assertThat(line.printed()).contains("PROVEN\n").endsWith(proof(key, "RunLost"));
    }

    @Test
    void aNewKeyOfTheSameNameSignsBesideTheOldOne() throws IOException {
        Path keys = home.resolve("key");
        assertThat(line.run("audit", "key", keys.toString(), "--new", "example.org/log"))
                .isZero();
        assertThat(line.run("audit", "key", keys.toString(), "--new", "example.org/log"))
                .isZero();

        assertThat(LogKeys.parse(Files.readString(keys)).signers()).hasSize(2);
    }

    @Test
    void whatIsMissingOrDamagedIsSaid() throws IOException {
        assertThat(line.run("audit", "verify")).isEqualTo(ExitCode.USAGE);
        assertThat(line.run("audit", "verify", "none.proof")).isEqualTo(ExitCode.USAGE);
        Path file = Files.writeString(home.resolve("run.proof"), "x");
        assertThat(line.run("audit", "verify", file.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(line.noted()).contains("Say with --key");
        assertThat(line.run("audit", "key", home.resolve("none").toString())).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(line.run("audit", "key", home.resolve("k").toString(), "--new", "two words"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(line.run("audit", "key", file.toString())).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void theFileOfTheKeyThatSignsVerifiesAsWellAndIsNeverPrinted() throws IOException {
        LogKey key = LogKey.create("example.org/log");
        Path file = Files.writeString(home.resolve("run.proof"), proof(key, "RunLost"));
        Path keys = Files.writeString(home.resolve("keys"), key.text() + "\n");

        assertThat(line.run("audit", "verify", file.toString(), "--key", keys.toString()))
                .isZero();
        assertThat(line.run("audit", "verify", file.toString(), "--key", key.text()))
                .isEqualTo(ExitCode.UNEXPECTED);
        Files.writeString(keys, key.text() + "x\n");
        assertThat(line.run("audit", "verify", file.toString(), "--key", keys.toString()))
                .isEqualTo(ExitCode.USAGE);

        // PRIVATE+KEY+name+hash+base64, and base64 has plus signs of its own
        String secret = key.text().split("\\+", 5)[4];
        assertThat(line.printed() + line.noted()).doesNotContain(secret);
    }

    @Test
    void aStoreIsVerifiedWithoutANode() throws IOException {
        String key = LogKey.create("example.org/log").verifier();

        // without a store in the node's home, and without words that contradict each other
        assertThat(line.run("audit", "verify", "--store", "--key", key)).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(line.noted()).contains("There is no store of a node in " + home.resolve("data"));
        assertThat(line.run("audit", "verify", "--store", "--from", "3", "--key", key))
                .isEqualTo(ExitCode.USAGE);
        assertThat(line.run("audit", "verify", "--all", "--set", "vivarium.store.kind=postgres"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(line.run("audit", "verify", "--store", "--config", "/none", "--key", key))
                .isEqualTo(ExitCode.NOT_FOUND);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void theVerifierPrintsItself() {
        assertThat(line.run("audit", "verify", "--source")).isZero();

        assertThat(line.printed())
                .startsWith("package dev.vivarium.protocol.audit;")
                .contains("public static void main");
    }
}
