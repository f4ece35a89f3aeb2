package dev.vivarium.node.machine;

import dev.vivarium.node.driver.linux.ProgramAnswer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/**
 * Programs of the machine.
 *
 * @param path the search path, in the notation of the variable PATH
 */
record Programs(String path) {
    private static final Duration TIME_MAX = Duration.ofSeconds(5);
    /** The folders of root's programs, which may be missing in other users' PATH. */
    private static final String OF_ROOT = "/usr/local/sbin:/usr/sbin:/sbin";

    boolean has(String program) {
        return Arrays.stream((path + File.pathSeparator + OF_ROOT).split(File.pathSeparator, -1))
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    /** The beginning of a program's output; empty when it is missing, fails or hangs. */
    Optional<String> firstLines(String... command) {
        try {
            ProgramAnswer answer = ProgramAnswer.of(TIME_MAX, command);
            return answer.exitCode() == 0 ? Optional.of(answer.text()) : Optional.empty();
        } catch (IOException missing) {
            return Optional.empty();
        }
    }
}
