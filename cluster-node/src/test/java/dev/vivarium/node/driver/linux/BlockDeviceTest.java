package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockDeviceTest {
    @TempDir
    Path sys;

    @BeforeEach
    void aDiskWithAPartition() throws IOException {
        device("8:0", "devices/pci/sda", "DEVNAME=sda\nDEVTYPE=disk\n");
        device("8:1", "devices/pci/sda/sda1", "DEVNAME=sda1\nDEVTYPE=partition\n");
        Files.writeString(sys.resolve("devices/pci/sda/sda1/partition"), "1\n");
        device("259:1048576", "devices/pci/nvme9n1", "MAJOR=259\nDEVNAME=nvme9n1\n");
    }

    @Test
    void aPartitionResolvesToItsDisk() throws IOException {
        assertThat(BlockDevice.of(8 << 8 | 1, sys.resolve("dev/block"))).contains("sda");
        assertThat(BlockDevice.of(8 << 8, sys.resolve("dev/block"))).contains("sda");
    }

    @Test
    void largeDeviceNumbersAreDecodedLikeTheKernelsDo() throws IOException {
        long device = 259L << 8 | (1_048_576L & ~0xffL) << 12;

        assertThat(BlockDevice.of(device, sys.resolve("dev/block"))).contains("nvme9n1");
    }

    @Test
    void aFileSystemInMemoryHasNoDisk() throws IOException {
        assertThat(BlockDevice.of(42, sys.resolve("dev/block"))).isEmpty();
        assertThat(BlockDevice.of(Path.of("/proc"))).isEmpty();
        assertThat(BlockDevice.of(sys.resolve("missing"))).isEmpty();
    }

    private void device(String number, String folder, String event) throws IOException {
        Path made = Files.createDirectories(sys.resolve(folder));
        Files.writeString(made.resolve("uevent"), event);
        Path link = Files.createDirectories(sys.resolve("dev/block")).resolve(number);
        Files.createSymbolicLink(link, made);
    }
}
