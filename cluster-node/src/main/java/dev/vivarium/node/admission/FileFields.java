package dev.vivarium.node.admission;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileForm;
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
 * The files of a submission: their paths and contents. Text is given as a string, bytes as {@code {"base64": "…"}}, and
 * uploaded contents as {@code {"digest": "…"}}; objects may have a {@code mode}. An uploaded content of the form {@code
 * archive} is unpacked into a folder, which may be the workspace itself, {@code .}.
 */
final class FileFields {
    /** The base of relative paths. */
    static final String WORKSPACE = "/workspace";

    static final int MAX_FILES = 1_000;

    private static final Set<String> WRITABLE = Set.of(WORKSPACE, "/tmp");
    private static final Set<String> MEMBERS = Set.of("base64", "digest", "form", "mode");
    private static final Map<String, FileForm> FORMS = Map.of("file", FileForm.FILE, "archive", FileForm.ARCHIVE);
    private static final Pattern MODE = Pattern.compile("0[0-7]{3}");
    private static final int MAX_PATH_BYTES = 1_024;
    private static final int MAX_PART_BYTES = 255;

    private final Fields fields;
    private final Findings findings;
    private final Map<String, RequestedFile> files = new TreeMap<>();

    /** Absolute path to the path as the client wrote it; parent directories map to the file below them. */
    private final Map<String, String> taken = new HashMap<>();

    private final Map<String, String> directories = new HashMap<>();
    private int count;
    private long totalBytes;

    FileFields(Fields fields, Findings findings) {
        this.fields = fields;
        this.findings = findings;
    }

    /** @param limits the run's limits, which the files must fit into */
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
                    "are " + inodes + " including the folders that contain them; limits.files allows "
                            + limits.get(Limit.FILES));
        }
        return files;
    }

    /** The number of files, and of folders that must be created for them. */
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
        FileForm form = file.map(RequestedFile::form).orElse(FileForm.FILE);
        Optional<String> mistake = checkPath(entry.name(), form);
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
        boolean known = value.isObject()
                && base64.isTextual() != digest.isTextual()
                && value.properties().stream()
                        .allMatch(member -> MEMBERS.contains(member.getKey())
                                && member.getValue().isTextual());
        if (!known || (base64.isTextual() && value.has("form"))) {
            findings.add(
                    entry.path(),
                    "must be the text of the file, {\"base64\": \"…\"} with its bytes, or {\"digest\": \"…\"} with the"
                            + " SHA-256 digest of an uploaded content; the last two may have a \"mode\", and the last a"
                            + " \"form\"");
            return Optional.empty();
        }
        Optional<FileMode> given = mode(entry, mode);
        if (mode.isTextual() && given.isEmpty()) {
            return Optional.empty();
        }
        return base64.isTextual()
                ? inline(entry, base64, given)
                : form(entry, value).flatMap(form -> uploaded(entry, digest, given, form));
    }

    private Optional<FileForm> form(Fields.Entry entry, JsonNode value) {
        FileForm form = FORMS.get(value.path("form").asText("file"));
        if (form == null) {
            findings.add(entry.path() + ".form", "must be file or archive (a tar, as it is or in gzip)");
        } else if (form == FileForm.ARCHIVE && value.has("mode")) {
            findings.add(entry.path() + ".mode", "must be left out: what is in an archive has modes there");
            return Optional.empty();
        }
        return Optional.ofNullable(form);
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

    private Optional<RequestedFile> uploaded(
            Fields.Entry entry, JsonNode digest, Optional<FileMode> mode, FileForm form) {
        String field = entry.path() + ".digest";
        try {
            return Optional.of(new RequestedFile.Uploaded(
                    mode.orElse(FileMode.PLAIN), Digest.parse(digest.textValue()), form, field));
        } catch (IllegalArgumentException malformed) {
            findings.add(field, String.valueOf(malformed.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<String> checkPath(String path, FileForm form) {
        if (form == FileForm.ARCHIVE && (path.equals(".") || WRITABLE.contains(path))) {
            return Optional.empty();
        }
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
                return Optional.of("the path must not contain empty parts, '.' or '..'");
            }
            if (part.getBytes(StandardCharsets.UTF_8).length > MAX_PART_BYTES) {
                return Optional.of("each part of the path must be at most " + MAX_PART_BYTES + " bytes");
            }
        }
        if (parts.length < 2 || !WRITABLE.contains("/" + parts[0])) {
            return Optional.of("the path must be relative, and then lies below " + WORKSPACE + ", or be below "
                    + WORKSPACE + " or /tmp");
        }
        return form == FileForm.ARCHIVE ? checkFolder(path, absolute) : checkPlace(path, absolute);
    }

    private Optional<String> checkFolder(String path, String absolute) {
        if (taken.containsKey(absolute)) {
            return Optional.of("is unpacked into a folder, and '" + taken.get(absolute) + "' is a file");
        }
        directories.putIfAbsent(absolute, path);
        return checkParents(path, absolute);
    }

    private Optional<String> checkPlace(String path, String absolute) {
        String same = taken.putIfAbsent(absolute, path);
        if (same != null) {
            return Optional.of("is the same file as '" + same + "'");
        }
        if (directories.containsKey(absolute)) {
            return Optional.of("is a file, and '" + directories.get(absolute) + "' takes it for a directory");
        }
        return checkParents(path, absolute);
    }

    private Optional<String> checkParents(String path, String absolute) {
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
