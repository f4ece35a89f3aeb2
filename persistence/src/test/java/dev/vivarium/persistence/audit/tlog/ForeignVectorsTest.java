package dev.vivarium.persistence.audit.tlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.protocol.audit.LogKey;
import dev.vivarium.protocol.audit.Verify;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The tree and the notes are those that others build and check: every vector here was made by somebody else. */
class ForeignVectorsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Leaves and roots of Certificate Transparency's reference tests, as transparency-dev/merkle has them (constants.go). */
    private static final List<String> LEAVES =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");

    private static final List<String> ROOTS = List.of(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    /** From golang.org/x/mod/sumdb/note, note_test.go at commit 02c991387e35f9e4c0a9b7ce137717055f8d716d. */
    private static final String PETER_SECRET =
            "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    private static final String PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private static final String ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
    private static final String TEXT =
            """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.
            """;
    private static final String PETER_SIGNATURE =
            "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    private static final String ENOCH_SIGNATURE =
            "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    @Test
    void theRootsOfGrowingTreesAreThoseOfCertificateTransparency() {
        MemoryTiles tiles = new MemoryTiles();
        TreeEdge edge = new TreeEdge();
        assertThat(edge.root()).asHexString().isEqualToIgnoringCase(ROOTS.get(0));
        for (int size = 1; size <= LEAVES.size(); size++) {
            tiles.put(edge.append(List.of(Verify.leafHash(HexFormat.of().parseHex(LEAVES.get(size - 1))))));
            assertThat(edge.root()).asHexString().isEqualToIgnoringCase(ROOTS.get(size));
            assertThat(new StoredTree(size, tiles).root()).isEqualTo(edge.root());
        }
    }

    @Test
    void everyForeignInclusionProofIsAcceptedOrRefusedAsItsAuthorsSay() throws IOException {
        List<JsonNode> vectors = vectors("inclusion.ndjson");
        assertThat(vectors).hasSize(98);
        for (JsonNode vector : vectors) {
            boolean accepted = Verify.rootOf(
                            vector.path("leafIdx").asLong(),
                            vector.path("treeSize").asLong(),
                            bytes(vector.path("leafHash")),
                            proof(vector))
                    .map(root -> Arrays.equals(root, bytes(vector.path("root"))))
                    .orElse(false);
            assertThat(accepted)
                    .as(vector.toString())
                    .isNotEqualTo(vector.path("wantErr").asBoolean());
        }
    }

    @Test
    void everyForeignConsistencyProofIsAcceptedOrRefusedAsItsAuthorsSay() throws IOException {
        List<JsonNode> vectors = vectors("consistency.ndjson");
        assertThat(vectors).hasSize(98);
        for (JsonNode vector : vectors) {
            boolean accepted = Verify.isConsistent(
                    vector.path("size1").asLong(),
                    bytes(vector.path("root1")),
                    vector.path("size2").asLong(),
                    bytes(vector.path("root2")),
                    proof(vector));
            assertThat(accepted)
                    .as(vector.toString())
                    .isNotEqualTo(vector.path("wantErr").asBoolean());
        }
    }

    private static List<JsonNode> vectors(String name) throws IOException {
        try (InputStream resource = ForeignVectorsTest.class.getResourceAsStream(name)) {
            List<JsonNode> vectors = new ArrayList<>();
            for (String line : new String(Objects.requireNonNull(resource).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                vectors.add(JSON.readTree(line));
            }
            return vectors;
        }
    }

    private static List<byte[]> proof(JsonNode vector) {
        List<byte[]> proof = new ArrayList<>();
        vector.path("proof").forEach(hash -> proof.add(bytes(hash)));
        return proof;
    }

    private static byte[] bytes(JsonNode base64) {
        return Base64.getDecoder().decode(base64.asText(""));
    }

    @Test
    void aNoteIsSignedAsGoSignsIt() {
        LogKey peter = LogKey.parse(PETER_SECRET);

        assertThat(peter.verifier()).isEqualTo(PETER);
        assertThat(peter.text()).isEqualTo(PETER_SECRET);
        assertThat(peter.signature(TEXT)).isEqualTo(PETER_SIGNATURE);
        assertThat(peter).hasToString(PETER);
    }

    @Test
    void notesThatGoAcceptsAreAcceptedAndTheOthersAreRefused() {
        String note = TEXT + "\n" + PETER_SIGNATURE + ENOCH_SIGNATURE;
        assertThat(Verify.Note.open(note, Verify.Key.parse(PETER)).text()).isEqualTo(TEXT);
        assertThat(Verify.Note.open(note, Verify.Key.parse(PETER + "\n" + ENOCH))
                        .signers())
                .hasSize(2);
        assertThat(Verify.Note.open(TEXT + "\n" + PETER_SIGNATURE + PETER_SIGNATURE, Verify.Key.parse(PETER))
                        .signers())
                .hasSize(1);
        assertRefused(TEXT + "\n" + ENOCH_SIGNATURE, "by none of the given keys");
        assertRefused(TEXT + "\n" + PETER_SIGNATURE.repeat(101), "no signed note");
        assertRefused(
                TEXT + "\n" + PETER_SIGNATURE.substring(0, 60) + "ABCD" + PETER_SIGNATURE.substring(60),
                "is not what PeterNeumann has signed");
        assertRefused(TEXT.replace("answer", "Answer") + "\n" + PETER_SIGNATURE, "is not what PeterNeumann has signed");
        for (String malformed : List.of(
                TEXT,
                TEXT + "\n",
                TEXT + "\n" + PETER_SIGNATURE.strip(),
                "\u0001" + TEXT + "\n" + PETER_SIGNATURE,
                "\uD800" + TEXT + "\n" + PETER_SIGNATURE,
                TEXT + "\n" + PETER_SIGNATURE.replace("PeterNeumann", "Bad Name"),
                TEXT + "\n" + PETER_SIGNATURE + "Unexpected line.\n")) {
            assertRefused(malformed, "no signed note");
        }
    }

    private static void assertRefused(String note, String sentence) {
        assertThatThrownBy(() -> Verify.Note.open(note, Verify.Key.parse(PETER)))
                .isInstanceOf(Verify.Refused.class)
                .hasMessageContaining(sentence);
    }

    /** The example of C2SP's signed-note.md at commit 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9. */
    @Test
    void theExampleOfTheSpecificationIsAccepted() {
        String note =
                """
                This is an example message.

                \u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
                """;

        assertThat(Verify.Note.open(
                                note,
                                Verify.Key.parse(
                                        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"))
                        .text())
                .isEqualTo("This is an example message.\n");
    }

    @Test
    void aKeyWithOneCharacterChangedOrCutIsNone() {
        for (int at = 0; at < PETER.length(); at++) {
            char changed = (char) (PETER.charAt(at) + 1);
            assertNoKey(PETER.substring(0, at) + changed + PETER.substring(at + 1));
            assertNoKey(PETER.substring(0, at));
            if (at > 0) {
                assertNoKey(PETER.substring(at));
            }
        }
        assertNoKey("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==");
        assertNoKey("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        for (int at = 0; at < PETER_SECRET.length(); at++) {
            char changed = (char) (PETER_SECRET.charAt(at) + 1);
            String text = PETER_SECRET.substring(0, at) + changed + PETER_SECRET.substring(at + 1);
            assertThatThrownBy(() -> LogKey.parse(text))
                    .as(text)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining("AYEKFALVFGyNhPJEMzD1QIDr");
        }
    }

    private static void assertNoKey(String text) {
        assertThatThrownBy(() -> Verify.Key.parse(text)).as(text).isInstanceOf(Verify.Refused.class);
    }
}
