package dev.vivarium.node.driver.linux;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * The files of a sandbox on this machine's kernel in its workspace and in /tmp, seen from outside at the time of a sample.
 * The guest reports the same up to ten times a second: too late for files that are written and deleted in between, which are
 * in the control group's shared memory and would count as the program's.
 */
public final class WritablePlaces {
    private final List<File> places;

    /**
     * @param root the root of the sandbox's first process
     */
    public WritablePlaces(Path root) {
        // File asks the kernel about the path; a FileStore would search this process's own mounts.
        places = List.of(root.resolve("workspace").toFile(), root.resolve("tmp").toFile());
    }

    /** The bytes in use in both; empty when the sandbox is gone. */
    public OptionalLong storedBytes() {
        long stored = 0;
        for (File place : places) {
            long size = place.getTotalSpace();
            if (size == 0) {
                return OptionalLong.empty();
            }
            stored += size - place.getFreeSpace();
        }
        return OptionalLong.of(stored);
    }
}
