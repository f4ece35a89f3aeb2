package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.linux.BlockDevice;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The disk of the engine's images, looked up once for each folder that an engine has them in. Thread-safe. */
final class ImagesDisk {
    private static final Logger LOG = LoggerFactory.getLogger(ImagesDisk.class);

    private final DiskShare share;
    private final EngineAddress address;
    private Known known = new Known("", Optional.empty());

    /** The result for a folder. */
    private record Known(String folder, Optional<Path> disk) {}

    ImagesDisk(DiskShare share, EngineAddress address) {
        this.share = share;
        this.address = address;
    }

    /** The disk on which sandboxes are limited; empty if that is not possible, or not configured. */
    synchronized Optional<Path> of(EngineFacts facts) {
        if (!share.isLimited() || facts.dataFolder().isEmpty()) {
            return Optional.empty();
        }
        if (!known.folder().equals(facts.dataFolder())) {
            known = new Known(facts.dataFolder(), find(facts.dataFolder()));
        }
        return known.disk();
    }

    private Optional<Path> find(String folder) {
        if (!address.isLocal()) {
            LOG.warn("What sandboxes read from the disk of images is not limited: the engine is on another machine.");
            return Optional.empty();
        }
        Optional<Path> disk = BlockDevice.of(Path.of(folder));
        disk.ifPresentOrElse(
                found -> LOG.info("Each sandbox has a share of {}, which {} is on: {}", found, folder, share),
                () -> LOG.warn(
                        "What sandboxes read from the disk of images is not limited: the file system of {} is on no"
                                + " single disk that is visible here.",
                        folder));
        return disk;
    }

    /** Whether the engine refuses a sandbox because of its disk limits: an engine in a container may lack the device. */
    synchronized boolean isRefused(Path disk, DriverException failure) {
        if (failure.kind() != DriverException.Kind.REFUSED
                || !String.valueOf(failure.getMessage()).contains(disk.toString())) {
            return false;
        }
        LOG.warn("What sandboxes read from the disk of images is not limited: {}", failure.getMessage());
        known = new Known(known.folder(), Optional.empty());
        return true;
    }
}
