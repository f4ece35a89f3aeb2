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

/** Builds the body of a submission. The node's defaults apply to what is not set. */
public final class Submission {
    private final ObjectNode body = ApiJson.object();

    public Submission(String image, List<String> command) {
        body.put("image", image);
        var words = body.putArray("command");
        command.forEach(words::add);
    }

    /** Sets a top-level field, such as {@code workdir}. */
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

    /** Sets the mode and the destinations of an allowlist. */
    public Submission egress(String mode, List<String> allow) {
        ObjectNode egress = body.putObject("egress").put("mode", mode);
        if (!allow.isEmpty()) {
            allow.forEach(egress.putArray("allow")::add);
        }
        return this;
    }

    /** Adds an injected header, by the API's field names; call after {@link #egress}. */
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

    /** Has the command warned with SIGUSR1 this long before its deadline. */
    public Submission warning(String before) {
        within("warning").put("before", before);
        return this;
    }

    /** Has the command warned with a signal, such as {@code SIGUSR2}, this long before its deadline. */
    public Submission warning(String before, String signal) {
        within("warning").put("before", before).put("signal", signal);
        return this;
    }

    /** Has a URL called for the run's events, such as {@code ended}; for all of them if none is named. */
    public Submission webhook(String url, List<String> events) {
        ObjectNode webhook = within("webhook").put("url", url);
        if (!events.isEmpty()) {
            events.forEach(webhook.putArray("events")::add);
        }
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

    /** Gives the command a secret of the tenant, in an environment variable. */
    public Submission namedSecret(String variable, String name) {
        within("namedSecrets").put(variable, name);
        return this;
    }

    public Submission label(String name, String value) {
        within("labels").put(name, value);
        return this;
    }

    /** Adds a file to the workspace: as text when it is UTF-8, else as {@code {"base64": …}}. */
    public Submission file(String path, byte[] content) {
        utf8(content).ifPresentOrElse(text -> within("files").put(path, text), () -> within("files")
                .putObject(path)
                .put("base64", Base64.getEncoder().encodeToString(content)));
        return this;
    }

    /** Adds a file with permission bits, such as {@code 0755}. */
    public Submission file(String path, byte[] content, FileMode mode) {
        within("files")
                .putObject(path)
                .put("base64", Base64.getEncoder().encodeToString(content))
                .put("mode", mode.toString());
        return this;
    }

    /** Adds a file whose content was uploaded with {@link ApiClient#putBlob}. */
    public Submission blob(String path, Digest digest, FileMode mode) {
        within("files").putObject(path).put("digest", digest.toString()).put("mode", mode.toString());
        return this;
    }

    /**
     * Adds an archive, a tar as it is or in gzip, that was uploaded with {@link ApiClient#putBlob}; it is unpacked into the
     * folder.
     */
    public Submission archive(String folder, Digest digest) {
        within("files").putObject(folder).put("digest", digest.toString()).put("form", "archive");
        return this;
    }

    /** Adds a path or pattern of files to keep when the run ends. */
    public Submission artifact(String pattern) {
        body.withArrayProperty("artifacts").add(pattern);
        return this;
    }

    public ObjectNode body() {
        return body.deepCopy();
    }

    private ObjectNode within(String field) {
        return body.withObjectProperty(field);
    }

    /** The bytes as text, if they are valid UTF-8. */
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
