package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.linux.BlockDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The facts of this machine that a sandbox's configuration depends on. */
final class ThisMachine {
    /** The AppArmor profile that container engines load; used for these containers, too, if it is loaded. */
    private static final String PROFILE = "docker-default";

    private ThisMachine() {}

    /**
     * @param root the root of the file system
     * @param images the folder of images
     */
    static RuntimeConfig.Machine facts(Path root, Path images) {
        String architecture = System.getProperty("os.arch");
        return new RuntimeConfig.Machine(
                Runtime.getRuntime().availableProcessors(),
                architecture.equals("amd64") ? "x86_64" : architecture,
                Files.isDirectory(root.resolve("proc/sys/net/ipv6/conf/default")),
                profile(root),
                BlockDevice.of(images).flatMap(ThisMachine::disk),
                Files.exists(root.resolve("sys/fs/cgroup/cgroup.controllers"))
                        ? RuntimeConfig.GroupsVersion.TWO
                        : RuntimeConfig.GroupsVersion.ONE);
    }

    private static Optional<RuntimeConfig.Disk> disk(Path file) {
        try {
            long number = ((Number) Files.getAttribute(file, "unix:rdev")).longValue();
            return Optional.of(new RuntimeConfig.Disk(file, BlockDevice.major(number), BlockDevice.minor(number)));
        } catch (IOException hidden) {
            return Optional.empty();
        }
    }

    private static Optional<String> profile(Path root) {
        try {
            boolean enabled = Files.readString(root.resolve("sys/module/apparmor/parameters/enabled"))
                    .startsWith("Y");
            boolean loaded = enabled
                    && Files.readString(root.resolve("sys/kernel/security/apparmor/profiles"), StandardCharsets.UTF_8)
                            .lines()
                            .anyMatch(line -> line.startsWith(PROFILE + " "));
            return loaded ? Optional.of(PROFILE) : Optional.empty();
        } catch (IOException without) {
            return Optional.empty();
        }
    }
}
