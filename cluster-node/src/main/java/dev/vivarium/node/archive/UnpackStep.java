package dev.vivarium.node.archive;

import dev.vivarium.protocol.guest.NodeFrame.LinkKind;
import dev.vivarium.protocol.run.FileMode;
import org.apache.pekko.util.ByteString;

/** One step of unpacking in a sandbox. Paths are absolute, in the workspace or in /tmp, and contain no links. */
public sealed interface UnpackStep {
    String path();

    /**
     * A part of a file; the first creates the file.
     *
     * @param mode the file's mode after this part
     */
    record Part(String path, FileMode mode, long offset, ByteString bytes) implements UnpackStep {
        /** A part of a file of that size; until the file is complete, its owner can write to it. */
        public static Part of(String path, FileMode mode, long size, long offset, ByteString bytes) {
            boolean isLast = offset + bytes.size() >= size;
            return new Part(path, isLast ? mode : new FileMode(mode.bits() | 0600), offset, bytes);
        }
    }

    /** A folder, which may exist already. */
    record Folder(String path, FileMode mode) implements UnpackStep {}

    /** A link. */
    record Link(String path, LinkKind kind, String target) implements UnpackStep {}

    /**
     * Everything is unpacked.
     *
     * @param used the used room
     */
    record Unpacked(String path, UnpackRoom used) implements UnpackStep {}
}
