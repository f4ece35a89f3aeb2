package dev.vivarium.node.admission;

import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.google.common.io.ByteStreams;
import com.google.common.io.CountingOutputStream;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * How large a submission is in the messages between nodes, where the contents of its files are not. It is measured in the
 * encoding that nodes use, so that a field that RunSpec gains later counts as well.
 */
final class SpecSize {
    /** In the modules and the encoding of the serializer between nodes (pekko.serialization.jackson, jackson-cbor). */
    private static final CBORMapper MAPPER = CBORMapper.builder()
            .addModule(new JavaTimeModule())
            .addModule(new Jdk8Module())
            .build();

    /** What sealing adds to a secret (length, nonce, tag) and the encoding of its name. */
    private static final int SEAL_BYTES = 64;

    /** The largest possible reference. */
    private static final FileRef LARGEST_FILE =
            new FileRef(FileMode.EXECUTABLE, Long.MAX_VALUE, Digest.of(new byte[0]), FileForm.ARCHIVE);

    private SpecSize() {}

    /** Adds a finding to the largest field when the submission is too large. */
    static void check(Submission submission, long maxBytes, Findings findings) {
        RunSpec spec = submission.spec(SealedSecrets.NONE, references(submission));
        long bytes = encoded(spec) + sealed(submission.secrets());
        if (bytes > maxBytes) {
            findings.add(
                    largestField(spec, submission.secrets()),
                    "is the largest part of a submission that takes " + bytes + " bytes beside the contents of its"
                            + " files; at most " + maxBytes + " can be sent to the node that runs it: put large values"
                            + " into files, and many files into an archive");
        }
    }

    private static String largestField(RunSpec spec, Map<String, Secret> secrets) {
        Map<String, Long> fields = new TreeMap<>(Map.of(
                "command", encoded(spec.command()),
                "env", encoded(spec.env()),
                "secrets", sealed(secrets),
                "files", encoded(spec.files()),
                "artifacts", encoded(spec.artifacts()),
                "egress", encoded(spec.egress()),
                "labels", encoded(spec.labels())));
        return fields.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
    }

    private static Map<String, FileRef> references(Submission submission) {
        Map<String, FileRef> references = new TreeMap<>();
        submission.files().keySet().forEach(path -> references.put(path, LARGEST_FILE));
        return references;
    }

    private static long sealed(Map<String, Secret> secrets) {
        return secrets.entrySet().stream()
                .mapToLong(secret ->
                        utf8Bytes(secret.getKey()) + utf8Bytes(secret.getValue().reveal()) + SEAL_BYTES)
                .sum();
    }

    private static long utf8Bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static long encoded(Object value) {
        try (CountingOutputStream bytes = new CountingOutputStream(ByteStreams.nullOutputStream())) {
            MAPPER.writeValue(bytes, value);
            return bytes.getCount();
        } catch (IOException defect) {
            throw new UncheckedIOException("What was read from JSON can be encoded.", defect);
        }
    }
}
