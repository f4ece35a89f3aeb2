package dev.vivarium.persistence.embedded;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs short-lived system programs to completion. */
final class Commands {
    private Commands() {}

    /**
     * Runs a command in the root directory.
     *
     * @throws IOException when it cannot be started or fails, with its output
     */
    static void run(String... command) throws IOException {
        run(List.of(command));
    }

    static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .directory(new java.io.File("/"))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(String.join(" ", command) + " failed with " + exit + ": " + printed);
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException(command.get(0) + " was interrupted.", interrupted);
        }
    }
}
