package dev.vivarium.node.driver.docker;

import com.github.dockerjava.api.model.BlkioRateDevice;
import com.github.dockerjava.api.model.HostConfig;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.nio.file.Path;
import java.util.List;

/**
 * The limits of one sandbox on the disk of the engine's images, per second; 0 for no limit. Their files can be read past
 * the page cache, and some can be flushed, so that without a share one sandbox has the whole disk.
 *
 * @param readBytes bytes read
 * @param writeBytes bytes written
 * @param reads reads
 * @param writes writes, including flushes
 */
public record DiskShare(long readBytes, long writeBytes, long reads, long writes) {
    static DiskShare from(Config disk) {
        return new DiskShare(
                disk.getBytes("read-bytes-per-second-max"),
                disk.getBytes("write-bytes-per-second-max"),
                notNegative(disk, "reads-per-second-max"),
                notNegative(disk, "writes-per-second-max"));
    }

    private static long notNegative(Config disk, String key) {
        long value = disk.getLong(key);
        if (value < 0) {
            throw new ConfigException.BadValue(disk.getValue(key).origin(), key, "must not be negative; 0 is no limit");
        }
        return value;
    }

    /** Whether it limits anything. */
    boolean isLimited() {
        return readBytes + writeBytes + reads + writes > 0;
    }

    HostConfig applyTo(HostConfig walls, Path disk) {
        return walls.withBlkioDeviceReadBps(rate(disk, readBytes))
                .withBlkioDeviceWriteBps(rate(disk, writeBytes))
                .withBlkioDeviceReadIOps(rate(disk, reads))
                .withBlkioDeviceWriteIOps(rate(disk, writes));
    }

    private static List<BlkioRateDevice> rate(Path disk, long most) {
        return most == 0
                ? List.of()
                : List.of(new BlkioRateDevice().withPath(disk.toString()).withRate(most));
    }
}
