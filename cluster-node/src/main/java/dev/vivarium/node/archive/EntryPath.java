package dev.vivarium.node.archive;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The names in an archive, as paths below the folder that it is unpacked into. */
final class EntryPath {
    private static final int PATH_BYTES_MAX = 1_024;
    private static final int PART_BYTES_MAX = 255;
    private static final int DEPTH_MAX = 100;

    private EntryPath() {}

    /** The parts of an entry's path; none for the folder itself. Empty parts and {@code .} are ignored. */
    static List<String> parts(String entry, String path, String what) {
        if (path.startsWith("/")) {
            throw BadArchive.entry(entry, what + " is absolute: pack with relative paths");
        }
        List<String> parts = new ArrayList<>();
        for (String part : path.split("/", -1)) {
            if (part.equals("..")) {
                throw BadArchive.entry(entry, what + " holds '..', which leads out of its folder");
            }
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        check(entry, path, what, parts);
        return parts;
    }

    private static void check(String entry, String path, String what, List<String> parts) {
        if (path.indexOf('\0') >= 0) {
            throw BadArchive.entry(entry, what + " holds a NUL");
        }
        if (bytes(path) > PATH_BYTES_MAX) {
            throw BadArchive.entry(entry, what + " is longer than " + PATH_BYTES_MAX + " bytes");
        }
        if (parts.size() > DEPTH_MAX) {
            throw BadArchive.entry(entry, what + " is deeper than " + DEPTH_MAX + " folders");
        }
        if (parts.stream().anyMatch(part -> bytes(part) > PART_BYTES_MAX)) {
            throw BadArchive.entry(entry, what + " has a part of more than " + PART_BYTES_MAX + " bytes");
        }
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /**
     * Checks the target of a symbolic link in a folder at this depth below the root. {@code ..} is allowed only at the
     * beginning: behind a name, which may itself be a link, it would lead to the parent of that link's target. So each link
     * leads downwards from a folder of the root, and however links are chained, none leads out of it.
     */
    static void checkTarget(String entry, String target, String root, int depth) {
        if (target.isEmpty() || target.indexOf('\0') >= 0 || bytes(target) > PATH_BYTES_MAX) {
            throw BadArchive.entry(
                    entry,
                    "is a link whose target is empty, holds a NUL, or has more than " + PATH_BYTES_MAX + " bytes");
        }
        boolean isAbsolute = target.startsWith("/");
        if (isAbsolute && !target.equals(root) && !target.startsWith(root + "/")) {
            throw leadsOut(entry, target, root);
        }
        int up = 0;
        boolean hasNames = isAbsolute;
        for (String part : target.split("/", -1)) {
            boolean isUp = part.equals("..");
            if (isUp && (hasNames || ++up > depth)) {
                throw leadsOut(entry, target, root);
            }
            hasNames |= !isUp && !part.isEmpty() && !part.equals(".");
        }
    }

    private static BadArchive leadsOut(String entry, String target, String root) {
        return BadArchive.entry(
                entry,
                "is a link to '" + BadArchive.shown(target) + "', which leads out of " + root
                        + " or may: leave it out, or have the agent make it");
    }
}
