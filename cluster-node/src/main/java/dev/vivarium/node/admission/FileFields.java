package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The files that are put into the sandbox: where they may lie and what may be in them. Text is given as a string, bytes
 * as {@code {"base64": "…"}}, and what was uploaded before as {@code {"digest": "…"}}; objects may have a {@code mode}.
 */
final class FileFields {
    /** Where relative paths start. */
    static final String WORKSPACE = "/workspace";

    static final int MAX_FILES = 1_000;

    private static final Set<String> WRITABLE = Set.of(WORKSPACE, "/tmp");
    private static final Pattern MODE = Pattern.compile("0[0-7]{3}");
    private static final int MAX_PATH_BYTES = 1_024;
    private static final int MAX_PART_BYTES = 255;

    private final Fields fields;
    private final Findings findings;
    private final Map<String, RequestedFile> files = new TreeMap<>();

    /** Absolute path to the path as the client wrote it; directories on the way are mapped to the file below them. */
    private final Map<String, String> taken = new HashMap<>();

    private final Map<String, String> directories = new HashMap<>();
    private int count;
    private long totalBytes;

    FileFields(Fields fields, Findings findings) {
        this.fields = fields;
        this.findings = findings;
    }

    /** @param limits those of the run: its files are the first that it stores */
    Map<String, RequestedFile> read(Limits limits) {
        fields.entries("files", this::file);
        if (count > MAX_FILES) {
            findings.add("files", "are " + count + " files; at most " + MAX_FILES + " can be given");
        }
        ByteSize disk = limits.get(Limit.DISK);
        if (totalBytes > disk.bytes()) {
            findings.add("files", "are " + totalBytes + " bytes together; limits.disk allows " + disk);
        }
        long inodes = inodes();
        if (inodes > limits.get(Limit.FILES)) {
            findings.add(
                    "files",
                    "are " + inodes + " together with the folders that they lie in; limits.files allows "
                            + limits.get(Limit.FILES));
        }
        return files;
    }

    /** The files, and the folders that have to be made for them. */
    private long inodes() {
        return taken.size()
                + directories.keySet().stream()
                        .filter(directory -> !WRITABLE.contains(directory))
                        .count();
    }

    private void file(Fields.Entry entry, JsonNode value) {
        count++;
        if (count > MAX_FILES) {
            return;
        }
        Optional<RequestedFile> file = requested(entry, value);
        Optional<String> mistake = checkPath(entry.name());
        if (mistake.isPresent()) {
            findings.add(entry.path(), mistake.get());
        } else if (file.isPresent()) {
            if (file.get() instanceof RequestedFile.Inline inline) {
                totalBytes += inline.content().length();
            }
            files.put(entry.name(), file.get());
        }
    }

    private Optional<RequestedFile> requested(Fields.Entry entry, JsonNode value) {
        if (value.isTextual()) {
            Blob text = Blob.ofUtf8(value.textValue());
            return Optional.of(new RequestedFile.Inline(FileMode.ofContent(text), text));
        }
        JsonNode base64 = value.path("base64");
        JsonNode digest = value.path("digest");
        JsonNode mode = value.path("mode");
        int known = (base64.isTextual() ? 1 : 0) + (digest.isTextual() ? 1 : 0);
        if (!value.isObject() || known != 1 || value.size() != (mode.isTextual() ? 2 : 1)) {
            findings.add(
                    entry.path(),
                    "must be the text of the file, {\"base64\": \"…\"} with its bytes, or {\"digest\": \"…\"} with the"
                            + " SHA-256 digest of what was uploaded; the last two may have a \"mode\"");
            return Optional.empty();
        }
        Optional<FileMode> given = mode(entry, mode);
        if (mode.isTextual() && given.isEmpty()) {
            return Optional.empty();
        }
        return base64.isTextual() ? inline(entry, base64, given) : uploaded(entry, digest, given);
    }

    private Optional<FileMode> mode(Fields.Entry entry, JsonNode mode) {
        if (!mode.isTextual()) {
            return Optional.empty();
        }
        if (!MODE.matcher(mode.textValue()).matches()) {
            findings.add(entry.path() + ".mode", "must be permissions in octal, from 0000 to 0777, such as 0755");
            return Optional.empty();
        }
        return Optional.of(FileMode.parse(mode.textValue()));
    }

    private Optional<RequestedFile> inline(Fields.Entry entry, JsonNode base64, Optional<FileMode> mode) {
        try {
            Blob bytes = Blob.of(Base64.getDecoder().decode(base64.textValue().getBytes(StandardCharsets.UTF_8)));
            return Optional.of(new RequestedFile.Inline(mode.orElseGet(() -> FileMode.ofContent(bytes)), bytes));
        } catch (IllegalArgumentException malformed) {
            findings.add(entry.path() + ".base64", "is not valid base64 (RFC 4648, without line breaks)");
            return Optional.empty();
        }
    }

    private Optional<RequestedFile> uploaded(Fields.Entry entry, JsonNode digest, Optional<FileMode> mode) {
        String field = entry.path() + ".digest";
        try {
            return Optional.of(
                    new RequestedFile.Uploaded(mode.orElse(FileMode.PLAIN), Digest.parse(digest.textValue()), field));
        } catch (IllegalArgumentException malformed) {
            findings.add(field, String.valueOf(malformed.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<String> checkPath(String path) {
        if (path.isEmpty() || path.indexOf('\0') >= 0) {
            return Optional.of("the path must not be empty nor hold a NUL");
        }
        if (path.getBytes(StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
            return Optional.of("the path must be at most " + MAX_PATH_BYTES + " bytes");
        }
        String absolute = path.startsWith("/") ? path : WORKSPACE + "/" + path;
        String[] parts = absolute.substring(1).split("/", -1);
        for (String part : parts) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return Optional.of("the path must not hold empty parts, '.' or '..'");
            }
            if (part.getBytes(StandardCharsets.UTF_8).length > MAX_PART_BYTES) {
                return Optional.of("each part of the path must be at most " + MAX_PART_BYTES + " bytes");
            }
        }
        if (parts.length < 2 || !WRITABLE.contains("/" + parts[0])) {
            return Optional.of("the path must be relative, and then lies below " + WORKSPACE + ", or be below "
                    + WORKSPACE + " or /tmp");
        }
        return checkPlace(path, absolute);
    }

    private Optional<String> checkPlace(String path, String absolute) {
        String same = taken.putIfAbsent(absolute, path);
        if (same != null) {
            return Optional.of("is the same file as '" + same + "'");
        }
        if (directories.containsKey(absolute)) {
            return Optional.of("is a file, and '" + directories.get(absolute) + "' takes it for a directory");
        }
        for (int slash = absolute.lastIndexOf('/'); slash > 0; slash = absolute.lastIndexOf('/', slash - 1)) {
            String directory = absolute.substring(0, slash);
            directories.putIfAbsent(directory, path);
            if (taken.containsKey(directory)) {
                return Optional.of("takes the file '" + taken.get(directory) + "' for a directory");
            }
        }
        return Optional.empty();
    }
}
