package dev.vivarium.node.archive;

import dev.vivarium.protocol.run.FileMode;

/**
 * One entry of an archive.
 *
 * @param name its path, as in the archive
 * @param mode its permissions, without other bits of the mode
 * @param size the size of its content, which follows; 0 for all but files
 * @param target the target of a link, as in the archive; empty for all but links
 */
record TarEntry(String name, Type type, FileMode mode, long size, String target) {
    /** The kinds of entries that can be unpacked. */
    enum Type {
        FILE,
        FOLDER,
        SYMBOLIC_LINK,
        HARD_LINK
    }
}
