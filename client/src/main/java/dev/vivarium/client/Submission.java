package dev.vivarium.client;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The body of a submission, put together piece by piece. What is not named is left to the node's defaults. */
public final class Submission {
    private final ObjectNode body = ApiJson.object();

    public Submission(String image, List<String> command) {
        body.put("image", image);
        var words = body.putArray("command");
        command.forEach(words::add);
    }

    /** A field of the body itself, such as {@code workdir}. */
    public Submission with(String field, String value) {
        body.put(field, value);
        return this;
    }

    public Submission maxAttempts(int attempts) {
        body.put("maxAttempts", attempts);
        return this;
    }

    public Submission egress(String mode) {
        return egress(mode, List.of());
    }

    /** With the destinations of an allowlist. */
    public Submission egress(String mode, List<String> allow) {
        ObjectNode egress = body.putObject("egress").put("mode", mode);
        if (!allow.isEmpty()) {
            allow.forEach(egress.putArray("allow")::add);
        }
        return this;
    }

    /** A header that the node adds, by the names that the API gives its parts; to be called after {@link #egress}. */
    public Submission inject(Map<String, String> header) {
        ObjectNode injected = within("egress").withArrayProperty("inject").addObject();
        header.forEach(injected::put);
        return this;
    }

    public Submission limit(String name, String quantity) {
        within("limits").put(name, quantity);
        return this;
    }

    public Submission limit(String name, long count) {
        within("limits").put(name, count);
        return this;
    }

    public Submission env(String name, String value) {
        within("env").put(name, value);
        return this;
    }

    public Submission secret(String name, String value) {
        within("secrets").put(name, value);
        return this;
    }

    public Submission label(String name, String value) {
        within("labels").put(name, value);
        return this;
    }

    /** A file for the workspace: as text when it is UTF-8, else as {@code {"base64": …}}. */
    public Submission file(String path, byte[] content) {
        utf8(content).ifPresentOrElse(text -> within("files").put(path, text), () -> within("files")
                .putObject(path)
                .put("base64", Base64.getEncoder().encodeToString(content)));
        return this;
    }

    /** The same with a mode of permission bits, such as {@code 0755}. */
    public Submission file(String path, byte[] content, FileMode mode) {
        within("files")
                .putObject(path)
                .put("base64", Base64.getEncoder().encodeToString(content))
                .put("mode", mode.toString());
        return this;
    }

    /** A file whose content was uploaded before, by {@link ApiClient#putBlob}. */
    public Submission blob(String path, Digest digest, FileMode mode) {
        within("files").putObject(path).put("digest", digest.toString()).put("mode", mode.toString());
        return this;
    }

    public ObjectNode body() {
        return body.deepCopy();
    }

    private ObjectNode within(String field) {
        return body.withObjectProperty(field);
    }

    /** The text that the bytes encode, if they encode any. */
    public static Optional<String> utf8(byte[] bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException binary) {
            return Optional.empty();
        }
    }
}
