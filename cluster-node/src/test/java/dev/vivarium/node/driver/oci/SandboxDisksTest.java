package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.json.PlainJson;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The files of large disks, before a launcher mounts them. */
class SandboxDisksTest {
    private static final String MARK = "0123456789abcdef";
    private static final StateFolder.Name NAME =
            new StateFolder.Name(MARK, new SandboxId("01hzzzzzzzzzzzzzzzzzzzzzzz"));

    @TempDir
    private Path folder;

    private Path files;
    private SandboxDisks disks;

    @BeforeEach
    void open() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "Only root gives folders to other accounts.");
        files = folder.resolve("disks");
        disks = new SandboxDisks(files, 64L << 20, Duration.ofSeconds(30), NodeClock.system());
        disks.open(MARK);
    }

    @Test
    void onlyDisksAboveTheThresholdAreOnADisk() {
        assertThat(disks.isFor(limits("64Mi", 100))).isFalse();
        assertThat(disks.isFor(Limits.SMALLEST.with(Limit.DISK, new ByteSize((64L << 20) + 1))))
                .isTrue();
        assertThat(disks.offered(4L << 30).inMemoryBytes()).isEqualTo(64L << 20);
        disks.giveUp();
        assertThat(disks.isFor(limits("1Gi", 100))).isFalse();
        assertThat(disks.offered(4L << 30)).isEqualTo(Capabilities.Disks.inMemory(4L << 30));
    }

    /** By its superblock; how much of it an agent can use, the kernel says (LargeDisksOnTheEngineTest). */
    @ParameterizedTest
    @CsvSource({"65Mi, 1", "65Mi, 262144", "1Gi, 32768", "64Gi, 262144"})
    void aFileSystemHasRoomForTheBytesAndFilesAndLittleMore(String disk, long count) throws IOException {
        disks.make(NAME, state(), limits(disk, count), 4711, config());

        Path file = files.resolve(MARK + "-" + NAME.id());
        long bytes = ByteSize.parse(disk).bytes();
        long kept = Math.min(16L << 20, bytes / 50);
        assertThat(freeBytes(file)).isBetween(bytes + kept + (2L << 20), bytes + kept + bytes / 1000 + (5L << 20));
        assertThat(superblock(file, 0x10)).isBetween(0L, 262_144L + 16 * 600);
        assertThat((Long) Files.getAttribute(file, "unix:size")).isGreaterThan(bytes);
        assertThat(allocatedBytes(file)).isLessThan(4L << 20);
    }

    @Test
    void theConfigurationHasAWritableRootNoFileSystemsInMemoryForItAndLessMemory() throws IOException {
        ObjectNode config = config();
        Path state = state();

        disks.make(NAME, state, limits("65Mi", 100), 4711, config);

        assertThat(config.path("root").path("readonly").asBoolean()).isFalse();
        assertThat(config.path("mounts").findValuesAsText("destination")).containsExactly("/proc", "/dev/shm");
        assertThat(config.path("linux")
                        .path("resources")
                        .path("memory")
                        .path("limit")
                        .asLong())
                .isEqualTo(10L << 20);
        assertThat(config.path("linux")
                        .path("resources")
                        .path("memory")
                        .path("swap")
                        .asLong())
                .isEqualTo(10L << 20);
        assertThat(Files.readSymbolicLink(state.resolve("disk-file"))).isEqualTo(files.resolve(MARK + "-" + NAME.id()));
        assertThat(state.resolve("disk")).isEmptyDirectory();
        assertThat(state.resolve("content")).doesNotExist();
    }

    @Test
    void aDiskThatCannotBeMadeIsRefusedWithTheFolderAndTheReason() throws IOException {
        Files.createDirectory(files.resolve(MARK + "-" + NAME.id()));
        Path state = state();

        assertThatThrownBy(() -> disks.make(NAME, state, limits("65Mi", 100), 4711, config()))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("The disk of the sandbox cannot be made in " + files)
                .hasMessageContaining("vivarium.run.disk-max");
        assertThat(state).isEmptyDirectory();
    }

    @Test
    void filesOfEarlierIncarnationsAndOldFilesAreRemoved() throws IOException {
        Path own = Files.createFile(files.resolve(MARK + "-01hzzzzzzzzzzzzzzzzzzzzzz1"));
        Path fresh = Files.createFile(files.resolve("fedcba9876543210-01hzzzzzzzzzzzzzzzzzzzzzz2"));
        Path old = Files.createFile(files.resolve("fedcba9876543210-01hzzzzzzzzzzzzzzzzzzzzzz3"));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofMinutes(16))));

        disks.sweep();
        assertThat(List.of(own, fresh)).allMatch(Files::exists);
        assertThat(old).doesNotExist();
        disks.open(MARK);
        assertThat(own).doesNotExist();
        assertThat(fresh).exists();
    }

    private Path state() throws IOException {
        return Files.createTempDirectory(
                folder, "state", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    private static Limits limits(String disk, long files) {
        return Limits.SMALLEST.with(Limit.DISK, disk).with(Limit.FILES, files);
    }

    private static ObjectNode config() throws IOException {
        long memory = (10L << 20) + (65L << 20);
        return (ObjectNode) PlainJson.MAPPER.readTree(
                """
                {"root": {"path": "root", "readonly": true},
                 "mounts": [{"destination": "/proc"}, {"destination": "/dev/shm"}, {"destination": "/tmp"},
                            {"destination": "/workspace"}],
                 "linux": {"resources": {"memory": {"limit": %d, "swap": %d}}}}"""
                        .formatted(memory, memory));
    }

    private static long freeBytes(Path file) throws IOException {
        return superblock(file, 0x0c) * 4096;
    }

    private static long superblock(Path file, int field) throws IOException {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(1024 + field);
            return Integer.toUnsignedLong(Integer.reverseBytes(in.readInt()));
        }
    }

    private static long allocatedBytes(Path file) throws IOException {
        Process du = new ProcessBuilder("du", "-k", file.toString()).start();
        String text = new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        return Long.parseLong(text.split("\t", 2)[0]) << 10;
    }
}
