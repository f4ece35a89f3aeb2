package dev.vivarium.node.whole;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Searches bytes and files for values and characteristic pieces of them, verbatim and in the encodings in which programs
 * pass them on.
 */
final class Search {
    /** Shorter pieces could occur by chance. */
    private static final int PIECE_CHARS_MIN = 12;

    private static final int PIECE_CHARS = 32;
    private static final int BLOCK_BYTES = 1 << 20;
    private static final String DEVICE = "unix:dev";
    private static final JsonMapper JSON = new JsonMapper();
    private static final JsonMapper ASCII_JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private final Map<Integer, List<Sought>> byHead = new TreeMap<>();
    private final boolean[] heads = new boolean[1 << 16];
    private int longest;

    private static final class Sought {
        private final String what;
        private final byte[] bytes;

        Sought(String what, byte[] bytes) {
            this.what = what;
            this.bytes = bytes;
        }
    }

    private Search() {}

    /** Searches for values; findings are given by name and never repeat the value. */
    static Search values(Map<String, String> named) {
        Search search = new Search();
        named.forEach((name, value) -> pieces(value).forEach(piece -> search.addSpellings(name, piece)));
        return search;
    }

    /** Searches for bytes by name. */
    static Search bytes(Map<String, byte[]> named) {
        Search search = new Search();
        named.forEach((name, bytes) -> {
            search.add(name, bytes);
            search.addText(name + " in hex", HexFormat.of().formatHex(bytes));
            search.addBase64(name, bytes);
        });
        return search;
    }

    private static Set<String> pieces(String value) {
        Set<String> pieces = new LinkedHashSet<>();
        if (value.length() <= 4 * PIECE_CHARS) {
            pieces.add(value);
        } else {
            for (int at : new int[] {0, value.length() / 2, value.length() - PIECE_CHARS}) {
                pieces.add(value.substring(at, at + PIECE_CHARS));
            }
        }
        value.lines().filter(line -> line.length() <= 4 * PIECE_CHARS).forEach(pieces::add);
        pieces.removeIf(piece -> piece.length() < PIECE_CHARS_MIN);
        if (pieces.isEmpty()) {
            throw new IllegalArgumentException("Too short to be looked for.");
        }
        return pieces;
    }

    private void addSpellings(String name, String piece) {
        byte[] utf8 = piece.getBytes(StandardCharsets.UTF_8);
        add(name, utf8);
        add(name + " in UTF-16", piece.getBytes(StandardCharsets.UTF_16LE));
        add(name + " in UTF-16", piece.getBytes(StandardCharsets.UTF_16BE));
        addText(name + " in hex", HexFormat.of().formatHex(utf8));
        addText(name + " in hex", HexFormat.of().withUpperCase().formatHex(utf8));
        addText(name + " in hex", HexFormat.ofDelimiter(" ").formatHex(utf8));
        addBase64(name, utf8);
        String url = URLEncoder.encode(piece, StandardCharsets.UTF_8);
        addText(name + " in a URL", url);
        addText(name + " in a URL", url.replace("+", "%20"));
        addText(name + " in a URL", url.toLowerCase(Locale.ROOT));
        addText(name + " in JSON", json(JSON, piece));
        addText(name + " in JSON", json(ASCII_JSON, piece));
        // JSON in JSON, as in a command line that quotes a body.
        addText(name + " in JSON", json(JSON, json(JSON, piece)));
    }

    /** Inside a longer text a value may begin at any of three Base64 alignments. */
    private void addBase64(String name, byte[] bytes) {
        for (int before = 0; before < 3; before++) {
            byte[] shifted = new byte[before + bytes.length];
            System.arraycopy(bytes, 0, shifted, before, bytes.length);
            int from = (before * Byte.SIZE + 5) / 6;
            int to = shifted.length * Byte.SIZE / 6;
            addText(
                    name + " in Base64",
                    Base64.getEncoder().encodeToString(shifted).substring(from, to));
            addText(
                    name + " in Base64",
                    Base64.getUrlEncoder().encodeToString(shifted).substring(from, to));
        }
    }

    private static String json(JsonMapper mapper, String text) {
        try {
            String quoted = mapper.writeValueAsString(text);
            return quoted.substring(1, quoted.length() - 1);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private void addText(String what, String text) {
        add(what, text.getBytes(StandardCharsets.UTF_8));
    }

    private void add(String what, byte[] bytes) {
        int head = head(bytes, 0);
        heads[head] = true;
        List<Sought> same = byHead.computeIfAbsent(head, any -> new ArrayList<>());
        // If an encoding changes nothing, the finding has the plainer name.
        if (same.stream().noneMatch(sought -> Arrays.equals(sought.bytes, bytes))) {
            same.add(new Sought(what, bytes));
        }
        longest = Math.max(longest, bytes.length);
    }

    private static int head(byte[] bytes, int at) {
        return ((bytes[at] & 0xff) << 8) | (bytes[at + 1] & 0xff);
    }

    /** The names of the values found. */
    Set<String> in(byte[] content) {
        try {
            return in(new ByteArrayInputStream(content));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    Set<String> in(String content) {
        return in(content.getBytes(StandardCharsets.UTF_8));
    }

    Set<String> in(InputStream content) throws IOException {
        Set<String> found = new TreeSet<>();
        byte[] block = new byte[BLOCK_BYTES + longest];
        int kept = 0;
        int read;
        while ((read = content.readNBytes(block, kept, BLOCK_BYTES)) > 0) {
            int end = kept + read;
            scan(block, end, found);
            kept = Math.min(end, longest - 1);
            System.arraycopy(block, end - kept, block, 0, kept);
        }
        return found;
    }

    private void scan(byte[] block, int end, Set<String> found) {
        for (int at = 0; at + 1 < end; at++) {
            int head = head(block, at);
            if (heads[head]) {
                for (Sought sought : byHead.get(head)) {
                    int to = at + sought.bytes.length;
                    if (to <= end && Arrays.equals(block, at, to, sought.bytes, 0, sought.bytes.length)) {
                        found.add(sought.what);
                    }
                }
            }
        }
    }

    /**
     * The values found in files below a folder, by file. Links are not followed, nor mounts (those of an engine contain what
     * is elsewhere already, and namespaces, which cannot be read); files that disappear meanwhile are skipped.
     */
    Map<Path, Set<String>> below(Path folder) throws IOException {
        Map<Path, Set<String>> found = new TreeMap<>();
        Object device = Files.getAttribute(folder, DEVICE);
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                return isOfDevice(directory) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                add(file, in(file.toString()));
                if (attributes.isRegularFile()) {
                    try {
                        add(file, isOfDevice(file) ? content(file) : Set.of());
                    } catch (NoSuchFileException gone) {
                        return FileVisitResult.CONTINUE;
                    }
                }
                return FileVisitResult.CONTINUE;
            }

            private boolean isOfDevice(Path path) throws IOException {
                return Files.getAttribute(path, DEVICE, LinkOption.NOFOLLOW_LINKS)
                        .equals(device);
            }

            private Set<String> content(Path file) throws IOException {
                try (InputStream content = Files.newInputStream(file)) {
                    return in(content);
                }
            }

            private void add(Path file, Set<String> names) {
                if (!names.isEmpty()) {
                    found.computeIfAbsent(file, any -> new TreeSet<>()).addAll(names);
                }
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failed) throws IOException {
                if (failed instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failed;
            }
        });
        return found;
    }
}
