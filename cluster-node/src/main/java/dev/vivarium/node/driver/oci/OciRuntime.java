package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.linux.ProgramAnswer;
import dev.vivarium.protocol.run.Isolation;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A usable OCI runtime of this machine.
 *
 * @param isolation the isolation class that it provides
 * @param program its path
 * @param name crun, runc or runsc
 * @param version its version, as printed by it
 */
public record OciRuntime(Isolation isolation, Path program, String name, String version) {
    private static final Pattern VERSION = Pattern.compile("(?m)^(crun|runc|runsc) version (\\S+)");
    /** The date of a release of gVisor, as the project and as Debian write it. */
    private static final Pattern GVISOR_DATE = Pattern.compile("(?:release-|0\\.0~)?(\\d{8})\\..*");

    /** The first releases of gVisor with systrap; see its authors' article of 2023-04-28, "Releasing Systrap". */
    private static final int SYSTRAP_SINCE = 20230501;

    private static final Pattern NUMBERS = Pattern.compile("(?:release-)?(\\d{1,8})\\.(\\d{1,8}).*");

    /** Folders in which distributions install runtimes, whether or not they are in the node's PATH. */
    private static final List<String> FOLDERS =
            List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

    /** The outcome of a search: a runtime, or the reason why none was found. */
    sealed interface Search {
        /** The runtime, if it was found. */
        default Optional<OciRuntime> runtime() {
            return Optional.empty();
        }
    }

    /** A usable runtime. */
    record Found(OciRuntime found) implements Search {
        @Override
        public Optional<OciRuntime> runtime() {
            return Optional.of(found);
        }
    }

    /** No usable one, with the reason as a clause. */
    record Missing(String why) implements Search {}

    /**
     * Looks for the runtime of an isolation class, blocking.
     *
     * @param configured its path, if it is configured
     * @param limit how long it may take to print its version
     */
    static Search search(Isolation isolation, Optional<String> configured, Duration limit) {
        List<String> reasons = new ArrayList<>();
        List<Path> candidates = configured
                .map(path -> List.of(Path.of(path)))
                .orElseGet(() -> names(isolation).flatMap(OciRuntime::inPath).toList());
        for (Path candidate : candidates) {
            Search search = examine(isolation, candidate, limit);
            if (search instanceof Missing missing) {
                reasons.add(missing.why());
            } else {
                return search;
            }
        }
        return new Missing(
                reasons.isEmpty()
                        ? "there is no "
                                + String.join(" and no ", names(isolation).toList()) + " on this machine"
                        : String.join("; ", reasons));
    }

    private static Stream<String> names(Isolation isolation) {
        return isolation == Isolation.CONTAINER ? Stream.of("crun", "runc") : Stream.of("runsc");
    }

    private static Stream<Path> inPath(String name) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.concat(Arrays.stream(path.split(File.pathSeparator, -1)), FOLDERS.stream())
                .filter(folder -> folder.startsWith("/"))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst()
                .stream();
    }

    private static Search examine(Isolation isolation, Path program, Duration limit) {
        if (!Files.isExecutable(program)) {
            return new Missing(program + " is no program");
        }
        String answer;
        try {
            answer = ProgramAnswer.of(limit, program.toString(), "--version").text();
        } catch (IOException broken) {
            return new Missing(program + " does not say its version: " + broken.getMessage());
        }
        return judge(isolation, program, answer);
    }

    /** Whether a program with this answer is usable. */
    static Search judge(Isolation isolation, Path program, String answer) {
        Matcher version = VERSION.matcher(answer);
        if (!version.find() || names(isolation).noneMatch(version.group(1)::equals)) {
            return new Missing(program + " is no runtime that is known here: asked for its version, it said \""
                    + answer.lines().findFirst().orElse("") + "\"");
        }
        OciRuntime runtime = new OciRuntime(isolation, program, version.group(1), version.group(2));
        return runtime.isOldEnough()
                ? new Found(runtime)
                : new Missing(program + " is of version " + runtime.version() + ", and " + runtime.name() + " "
                        + oldest(runtime.name()) + " is the oldest that can be used");
    }

    /** The oldest versions with which the isolation was tested. */
    private static String oldest(String name) {
        return switch (name) {
            case "crun" -> "1.8";
            case "runc" -> "1.1";
            default -> "20221219.0";
        };
    }

    private boolean isOldEnough() {
        Matcher mine = NUMBERS.matcher(version);
        Matcher least = NUMBERS.matcher(oldest(name));
        // A version without numbers is a custom build.
        if (!mine.matches() || !least.matches() || (name.equals("runsc") && version.startsWith("0.0~"))) {
            return true;
        }
        long major = Long.parseLong(mine.group(1)) - Long.parseLong(least.group(1));
        return major > 0 || (major == 0 && Long.parseLong(mine.group(2)) >= Long.parseLong(least.group(2)));
    }

    /** The arguments with which the launcher starts it. */
    List<String> launch() {
        return isolation.hasOwnKernel()
                // "host" is the network namespace of the process that starts it; the filter is a second barrier around
                // gVisor.
                ? Stream.concat(
                                Stream.of(
                                        "--runtime-with-kernel", program.toString(), "--network=host", "--oci-seccomp"),
                                platform().map(platform -> "--platform=" + platform).stream())
                        .toList()
                : List.of("--runtime", program.toString());
    }

    /**
     * How gVisor intercepts system calls: by systrap, or by ptrace, which is many times slower. Empty, its default, where
     * the version tells no date, and for other runtimes.
     */
    Optional<String> platform() {
        Matcher date = GVISOR_DATE.matcher(version);
        return isolation.hasOwnKernel() && date.matches()
                ? Optional.of(Integer.parseInt(date.group(1)) < SYSTRAP_SINCE ? "ptrace" : "systrap")
                : Optional.empty();
    }

    @Override
    public String toString() {
        return name + " " + version + " (" + program
                + platform().map(platform -> ", platform " + platform).orElse("") + ")";
    }
}
