package dev.vivarium.node.driver.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Disks of this machine, as control groups name them: whole ones, since the kernel throttles no partition by itself. */
public final class BlockDevice {
    private static final Pattern NAME =
            Pattern.compile("(?m)^DEVNAME=([A-Za-z0-9!_-]{1,64}(?:/[A-Za-z0-9!_-]{1,64})?)$");

    private BlockDevice() {}

    /**
     * The disk that a folder's file system is on.
     *
     * @return its file below /dev; empty for a file system on no single disk (tmpfs, NFS, Btrfs, ZFS), or one that is not
     *     visible here
     */
    public static Optional<Path> of(Path folder) {
        try {
            return Files.getAttribute(folder, "unix:dev") instanceof Long device
                    ? of(device, Path.of("/sys/dev/block"))
                            .map(Path.of("/dev")::resolve)
                            .filter(Files::exists)
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException hidden) {
            return Optional.empty();
        }
    }

    /**
     * The name of the disk of a device.
     *
     * @param device the number of a file system's device, from stat(2)
     * @param devices the kernel's folder of devices by number
     */
    static Optional<String> of(long device, Path devices) throws IOException {
        Path known = devices.resolve(major(device) + ":" + minor(device));
        if (!Files.exists(known)) {
            return Optional.empty();
        }
        Path disk = known.toRealPath();
        if (Files.exists(disk.resolve("partition"))) {
            disk = disk.resolve("..").toRealPath();
        }
        Matcher name = NAME.matcher(Files.readString(disk.resolve("uevent"), StandardCharsets.UTF_8));
        return name.find() ? Optional.of(name.group(1)) : Optional.empty();
    }

    /** The major part of a device's number, like gnu_dev_major(3). */
    public static long major(long device) {
        return ((device >> 8) & 0xfff) | ((device >> 32) & ~0xfffL);
    }

    /** The minor part, like gnu_dev_minor(3). */
    public static long minor(long device) {
        return (device & 0xff) | ((device >> 12) & ~0xffL);
    }
}
