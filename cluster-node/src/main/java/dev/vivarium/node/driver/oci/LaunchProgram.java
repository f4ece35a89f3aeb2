package dev.vivarium.node.driver.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;

/** The launcher's program of this build, as an executable file. */
final class LaunchProgram {
    private static final String NAME = "vivarium-launch";
    private static final int MODE = 0700;

    private LaunchProgram() {}

    /** Copies it into the folder, unless it is there, and returns its path. */
    static Path in(Path folder) throws IOException {
        byte[] program = load();
        PrivateFolder.make(folder);
        Path file = folder.resolve(NAME + "-" + StateFolder.mark(Arrays.toString(program)));
        if (!holds(file, program)) {
            Path fresh = Files.createTempFile(folder, NAME, ".new");
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

    private static byte[] load() throws IOException {
        try (InputStream in = LaunchProgram.class.getResourceAsStream("/guest/" + NAME)) {
            if (in == null) {
                throw new IllegalStateException("The launcher is missing from this build: run the Maven build.");
            }
            return in.readAllBytes();
        }
    }
}
