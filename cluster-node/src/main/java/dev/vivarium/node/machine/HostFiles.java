package dev.vivarium.node.machine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Files of the machine's kernel and its package manager. Unreadable files count as empty.
 *
 * @param root the parent folder of proc, sys, usr and var
 */
record HostFiles(Path root) {
    private static final Pattern HOLE = Pattern.compile("CVE-\\d{4}-\\d{4,7}");
    private static final Pattern PACKAGE = Pattern.compile("Package: (.{1,200})");
    private static final Pattern VERSION = Pattern.compile("Version: (.{1,200})");
    private static final String INSTALLED = "Status: install ok installed";
    /** A file of the kernel, whose length is unknown before it is read. */
    private static final int FILE_BYTES_MAX = 1 << 20;

    private static final int CHANGELOG_BYTES_MAX = 1 << 20;

    /** The text of a file. */
    Optional<String> text(String path) {
        try (InputStream file = Files.newInputStream(root.resolve(path))) {
            return Optional.of(new String(file.readNBytes(FILE_BYTES_MAX), StandardCharsets.UTF_8));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /** A file that contains a number. */
    OptionalLong number(String path) {
        return text(path).map(String::strip).map(HostFiles::parsed).orElse(OptionalLong.empty());
    }

    /** The number of a line such as {@code MemTotal:  1024 kB}. */
    OptionalLong number(String path, Pattern line) {
        Matcher found = line.matcher(text(path).orElse(""));
        return found.find() ? parsed(found.group(1)) : OptionalLong.empty();
    }

    private static OptionalLong parsed(String number) {
        try {
            return OptionalLong.of(Long.parseLong(number));
        } catch (NumberFormatException none) {
            return OptionalLong.empty();
        }
    }

    boolean exists(String path) {
        return Files.exists(root.resolve(path));
    }

    /** The versions of packages that dpkg has installed; empty where there is no dpkg. */
    Map<String, String> packages(Set<String> names) {
        Map<String, String> versions = new HashMap<>();
        try (Stream<String> lines = Files.lines(root.resolve("var/lib/dpkg/status"), StandardCharsets.ISO_8859_1)) {
            String[] paragraph = {"", ""};
            for (String line : (Iterable<String>) lines::iterator) {
                Matcher name = PACKAGE.matcher(line);
                Matcher version = VERSION.matcher(line);
                if (name.matches()) {
                    paragraph[0] = names.contains(name.group(1)) ? name.group(1) : "";
                    paragraph[1] = "";
                } else if (line.equals(INSTALLED)) {
                    paragraph[1] = INSTALLED;
                } else if (version.matches() && !paragraph[0].isEmpty() && paragraph[1].equals(INSTALLED)) {
                    versions.put(paragraph[0], version.group(1));
                }
            }
        } catch (IOException | UncheckedIOException none) {
            return Map.of();
        }
        return versions;
    }

    /** The holes named in a package's changelog, which its distribution has fixed. */
    Set<String> mendedIn(String packageName) {
        Path documents = root.resolve("usr/share/doc").resolve(packageName);
        for (String name : List.of("changelog.Debian.gz", "changelog.gz")) {
            Path changelog = documents.resolve(name);
            if (Files.isReadable(changelog)) {
                return holesNamedIn(changelog);
            }
        }
        return Set.of();
    }

    private static Set<String> holesNamedIn(Path changelog) {
        Set<String> holes = new HashSet<>();
        try (InputStream text = new GZIPInputStream(Files.newInputStream(changelog))) {
            Matcher named = HOLE.matcher(new String(text.readNBytes(CHANGELOG_BYTES_MAX), StandardCharsets.UTF_8));
            while (named.find()) {
                holes.add(named.group());
            }
        } catch (IOException unreadable) {
            return Set.of();
        }
        return holes;
    }
}
