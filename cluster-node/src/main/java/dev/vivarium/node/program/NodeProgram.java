package dev.vivarium.node.program;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;

/** The C programs of this build that run beside the node, as executable files. */
public enum NodeProgram {
    /** Runs OCI runtimes. */
    LAUNCH("vivarium-launch"),
    /** Makes and removes the links of sandboxes. */
    LINK("vivarium-link");

    private static final int MODE = 0700;
    private static final int MARK_LENGTH = 16;

    private final String name;

    NodeProgram(String name) {
        this.name = name;
    }

    /**
     * Copies it into a folder that only root may enter, unless it is there, and returns its path.
     *
     * @throws IOException when the folder cannot be made or written, or others may change what is in it
     */
    public Path in(Path folder) throws IOException {
        byte[] program = load();
        PrivateFolder.make(folder);
        PrivateFolder.requireNotReplaceable(folder);
        String mark = Hashing.sha256().hashBytes(program).toString().substring(0, MARK_LENGTH);
        Path file = folder.resolve(name + "-" + mark);
        if (!holds(file, program)) {
            Path fresh = Files.createTempFile(folder, name, ".new");
            try {
                Files.write(fresh, program);
                Files.setAttribute(fresh, "unix:mode", MODE);
                Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(fresh);
            }
        }
        return file;
    }

    private static boolean holds(Path file, byte[] program) throws IOException {
        try {
            return Arrays.equals(Files.readAllBytes(file), program) && Files.isExecutable(file);
        } catch (NoSuchFileException missing) {
            return false;
        }
    }

    private byte[] load() throws IOException {
        try (InputStream in = NodeProgram.class.getResourceAsStream("/guest/" + name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from this build: run the Maven build.");
            }
            return in.readAllBytes();
        }
    }
}
