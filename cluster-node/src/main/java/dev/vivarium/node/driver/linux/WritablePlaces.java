package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxSample;
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
    // File asks the kernel about the path; a FileStore would search this process's own mounts.
    private final List<File> places;
    private final long emptyBytes;

    private WritablePlaces(List<File> places, long emptyBytes) {
        this.places = places;
        this.emptyBytes = emptyBytes;
    }

    /**
     * Of a sandbox that has no files yet.
     *
     * @param root the root of the sandbox's first process
     * @param files where they will be: on a disk both places are parts of the root, whose file system has folders of its own
     */
    public static WritablePlaces of(Path root, SandboxSample.Files files) {
        File workspace = root.resolve("workspace").toFile();
        return files == SandboxSample.Files.IN_MEMORY
                ? new WritablePlaces(List.of(workspace, root.resolve("tmp").toFile()), 0)
                : new WritablePlaces(List.of(workspace), workspace.getTotalSpace() - workspace.getFreeSpace());
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
        return OptionalLong.of(Math.max(0, stored - emptyBytes));
    }
}
