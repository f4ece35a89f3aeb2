package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * One line of a hundred megabytes of arbitrary bytes passes unchanged through everything that handles output, and neither
 * the node nor the client needs memory for it, however slowly it is read.
 */
@Timeout(300)
class HostileOutputTest {
    private static final long LINE_BYTES = 100L << 20;
    /** A fraction of the line; the JVM exits if it does not suffice. */
    private static final String NODE_HEAP = "96m";

    private static final String CLIENT_HEAP = "24m";
    private static final int VANISHING_FOLLOWERS = 20;

    /** Prints the digest of its stdout on stderr. The line is full of NUL bytes and invalid UTF-8, without a newline. */
    private static final Agent AGENT = Agent.python(
                    """
            import hashlib, os, sys
            digest, left = hashlib.sha256(), %d
            while left:
                part = os.urandom(min(left, 65536)).replace(b'\\n', b'\\0')
                sys.stdout.buffer.write(part)
                digest.update(part)
                left -= len(part)
            sys.stdout.buffer.flush()
            print(digest.hexdigest(), end='', file=sys.stderr)
            """
                            .formatted(LINE_BYTES))
            .limit("output", "200Mi");

    @RegisterExtension
    static final DataDirectory DATA = new DataDirectory();

    private static WholeNode node;

    @BeforeAll
    static void start() throws IOException {
        node = WholeNode.on(DATA).heap(NODE_HEAP).go();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    @Tag("long")
    void aLineOfAHundredMegabytesIsUnchangedHoweverItIsRead() throws Exception {
        // given
        long began = System.nanoTime();
        String run = node.submit(AGENT).acceptedRun();
        node.awaitRunning(run, 1);
        String output = "/v1/runs/" + run + "/output?stream=stdout";

        // when: a follower does not read, and others disconnect
        try (InputStream idle = node.open(output + "&follow=true", "application/octet-stream")) {
            for (int i = 0; i < VANISHING_FOLLOWERS; i++) {
                try (InputStream vanishing = node.open(output + "&follow=true", "application/x-ndjson")) {
                    assertThat(vanishing.read()).isPositive();
                }
            }

            // then: the run ends nevertheless
            JsonNode end = node.awaitEnd(run);
            assertThat(end.path("status").asText()).as("%s", end).isEqualTo("SUCCEEDED");
            System.out.printf(
                    "%d MiB in one line: kept after %d ms with a heap of %s, node's resident set %d MiB%n",
                    LINE_BYTES >> 20, (System.nanoTime() - began) / 1_000_000, NODE_HEAP, node.residentBytes() >> 20);

            // and every way of reading returns the printed bytes
            String expected = stderr(run);
            long reading = System.nanoTime();
            assertThat(digest(idle)).as("the slow follower").isEqualTo(expected);
            System.out.printf("read as bytes in %d ms%n", (System.nanoTime() - reading) / 1_000_000);
            assertThat(digestOfChunks(node.open(output, "application/x-ndjson")))
                    .isEqualTo(expected);
            assertThat(digestOfClient(run)).isEqualTo(expected);
            assertThat(node.isAlive()).as(node::log).isTrue();
        }
    }

    private static String stderr(String run) throws Exception {
        try (InputStream text = node.open("/v1/runs/" + run + "/output?stream=stderr", "application/octet-stream")) {
            return new String(text.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static String digest(InputStream bytes) throws IOException {
        MessageDigest digest = sha256();
        try (bytes;
                OutputStream sink = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            bytes.transferTo(sink);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String digestOfChunks(InputStream lines) throws IOException {
        MessageDigest digest = sha256();
        long end = 0;
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(lines, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                JsonNode chunk = ApiJson.parse(line.getBytes(StandardCharsets.UTF_8));
                byte[] bytes = Base64.getDecoder().decode(chunk.path("data").asText());
                assertThat(chunk.path("stream").asText()).isEqualTo("stdout");
                assertThat(chunk.path("offset").asLong()).isGreaterThanOrEqualTo(end);
                end = chunk.path("offset").asLong() + bytes.length;
                digest.update(bytes);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The output of {@code vivarium logs}, in a JVM whose heap is smaller. */
    private static String digestOfClient(String run) throws Exception {
        ProcessBuilder logs = new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx" + CLIENT_HEAP,
                "-cp",
                System.getProperty("java.class.path"),
                "dev.vivarium.node.cli.Vivarium",
                "logs",
                run);
        logs.environment().put("VIVARIUM_SERVER", node.uri().toString());
        logs.environment().put("VIVARIUM_TOKEN", node.token());
        Process process = logs.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        process.getOutputStream().close();
        String digest = digest(process.getInputStream());
        assertThat(process.waitFor()).isZero();
        return digest;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
