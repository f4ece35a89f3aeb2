package dev.vivarium.node.driver.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.Capabilities;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.linux.ProgramAnswer;
import dev.vivarium.node.driver.oci.StateFolder.Name;
import dev.vivarium.node.program.PrivateFolder;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Disks of sandboxes that are too large for memory: for each a file system of its own, ext4 in a sparse file, which bounds its
 * bytes and files. The launcher mounts it for the sandbox alone and deletes the file (PROTOCOL.md), so that a disk is gone with its
 * sandbox, whatever dies. It has all that the sandbox writes to its root, of which the writable places are parts: what is written in
 * one of them can be renamed into the other. All calls block.
 */
final class SandboxDisks {
    /** In the sandbox's folder: the mount point, and the link by which the launcher finds the file. */
    static final String FOLDER = "disk";

    static final String LINK = "disk-file";

    private static final String PROGRAM = "mkfs.ext4";

    /** Explicit, since the defaults differ between versions; without a journal, as no disk is mounted twice. */
    private static final String FEATURES = "none,extent,dir_index,filetype,sparse_super,large_file,huge_file,flex_bg,"
            + "uninit_bg,dir_nlink,extra_isize,64bit";

    /** More than any machine has. */
    private static final long ALL_BYTES = 1L << 50;

    private static final int BLOCK_BYTES = 4096;
    private static final int INODE_BYTES = 256;
    /** Those that ext4 keeps for itself, its lost+found, and the places. */
    private static final int OWN_INODES = 16;
    /**
     * What it takes for itself besides tables of inodes, beyond a share of the whole; and room beyond the limit, so that the limit
     * is reached, and the run ended for it, before the kernel refuses a large write.
     */
    private static final long OWN_BYTES = 4 << 20;
    /** Bitmaps, group descriptors and copies of the superblock. */
    private static final int OWN_SHARE = 2048;

    /** What ext4 keeps free for its own blocks: a fiftieth, but no more than this. */
    private static final int RESERVED_SHARE = 50;

    private static final long RESERVED_BYTES_MAX = 16L << 20;

    /** A file that is as old as this belongs to no sandbox that is being made. */
    private static final Duration UNUSED_AFTER = Duration.ofMinutes(15);

    /** The writable places by path: a mode, and whether it is the agent's. */
    private static final Map<String, Place> PLACES =
            new TreeMap<>(Map.of("/workspace", new Place(0700, true), "/tmp", new Place(01777, false)));

    /** gVisor puts a file system in memory over an empty /tmp; the guest removes this file when it starts. */
    private static final Path IN_USE = Path.of("tmp/.vivarium");

    private static final int OPEN_FOLDER = 0755;

    private final Path folder;
    private final Duration makeTimeout;
    private final NodeClock clock;
    private volatile long memoryMaxBytes;
    private volatile long freeBytes;

    private record Place(int mode, boolean isAgents) {}

    /**
     * @param folder where the files are until they are mounted
     * @param memoryMaxBytes the largest disk that stays in memory
     * @param makeTimeout how long making a file system may take
     */
    SandboxDisks(Path folder, long memoryMaxBytes, Duration makeTimeout, NodeClock clock) {
        this.folder = folder;
        this.memoryMaxBytes = memoryMaxBytes;
        this.makeTimeout = makeTimeout;
        this.clock = clock;
    }

    /** Removes what this node's earlier incarnation was making. */
    void open(String mark) throws IOException {
        PrivateFolder.make(folder);
        freeBytes = Files.getFileStore(folder).getUsableSpace();
        for (Path file : files()) {
            if (file.getFileName().toString().startsWith(mark + "-")) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Whether a sandbox with these limits has its disk on a disk. */
    boolean isFor(Limits limits) {
        return Limit.DISK.amountIn(limits) > memoryMaxBytes;
    }

    /** The smallest that is on a disk; empty when none is. */
    Optional<ByteSize> smallest() {
        return memoryMaxBytes >= ALL_BYTES ? Optional.empty() : Optional.of(new ByteSize(memoryMaxBytes + 1));
    }

    /** From now on all are in memory. */
    void giveUp() {
        memoryMaxBytes = Long.MAX_VALUE;
    }

    /** @param inMemoryMostBytes the largest where all are in memory */
    Capabilities.Disks offered(long inMemoryMostBytes) {
        return smallest().isPresent()
                ? new Capabilities.Disks(memoryMaxBytes, freeBytes, Long.MAX_VALUE)
                : Capabilities.Disks.inMemory(inMemoryMostBytes);
    }

    /**
     * Makes a sandbox's disk, and changes the configuration of its runtime accordingly: without file systems in memory for the
     * writable places, and with less memory by their size.
     *
     * @param state the sandbox's folder
     * @throws DriverException of kind REFUSED with the reason
     */
    void make(Name name, Path state, Limits limits, int agentUid, ObjectNode config) {
        try {
            makeFiles(name, state, limits, agentUid);
        } catch (IOException failed) {
            throw new DriverException(
                    Kind.REFUSED,
                    "The disk of the sandbox cannot be made in " + folder + ": " + failed.getMessage()
                            + ". The node's operator can make room there, or lower vivarium.run.disk-max.",
                    failed);
        }
        use(Limit.DISK.amountIn(limits), config);
    }

    private void makeFiles(Name name, Path state, Limits limits, int agentUid) throws IOException {
        Path file = file(name);
        Path content = state.resolve("content");
        try {
            Path upper = Files.createDirectories(content.resolve("upper"));
            Files.setAttribute(upper, "unix:mode", OPEN_FOLDER);
            Files.createDirectory(content.resolve("work"));
            for (Map.Entry<String, Place> place : PLACES.entrySet()) {
                make(upper.resolve(place.getKey().substring(1)), place.getValue(), agentUid);
            }
            Files.createFile(upper.resolve(IN_USE));
            makeFileSystem(file, content, limits);
        } finally {
            PrivateFolder.removeTree(content);
        }
        Files.createDirectory(state.resolve(FOLDER));
        Files.createSymbolicLink(state.resolve(LINK), file);
    }

    private static void make(Path folder, Place place, int agentUid) throws IOException {
        Files.createDirectory(folder);
        Files.setAttribute(folder, "unix:mode", place.mode);
        if (place.isAgents) {
            Files.setAttribute(folder, "unix:uid", agentUid);
            Files.setAttribute(folder, "unix:gid", agentUid);
        }
    }

    private void makeFileSystem(Path file, Path content, Limits limits) throws IOException {
        long inodes = limits.get(Limit.FILES) + OWN_INODES;
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(fileBytes(Limit.DISK.amountIn(limits), inodes));
        }
        ProgramAnswer made = ProgramAnswer.of(
                makeTimeout,
                PROGRAM,
                "-q",
                "-F",
                "-O",
                FEATURES,
                "-b",
                Integer.toString(BLOCK_BYTES),
                "-I",
                Integer.toString(INODE_BYTES),
                "-N",
                Long.toString(inodes),
                "-m",
                "0",
                "-E",
                "nodiscard,lazy_itable_init=1",
                "-d",
                content.toString(),
                file.toString());
        if (made.exitCode() != 0) {
            throw new IOException(PROGRAM + " failed: " + made.text().strip());
        }
    }

    /** The size of a file whose file system has room for so many bytes of files. */
    static long fileBytes(long diskBytes, long inodes) {
        long reserved = Math.min(RESERVED_BYTES_MAX, (diskBytes + OWN_BYTES) / RESERVED_SHARE);
        long bytes = diskBytes + reserved + diskBytes / OWN_SHARE + inodes * INODE_BYTES + OWN_BYTES;
        return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    /** The root can be written to, and the places are parts of it: so a rename leads from one into the other. */
    private static void use(long diskBytes, ObjectNode config) {
        Iterator<JsonNode> mounts = config.path("mounts").iterator();
        while (mounts.hasNext()) {
            if (PLACES.containsKey(mounts.next().path("destination").asText())) {
                mounts.remove();
            }
        }
        ((ObjectNode) config.path("root")).put("readonly", false);
        ObjectNode memory = (ObjectNode) config.path("linux").path("resources").path("memory");
        for (String amount : List.of("limit", "swap")) {
            memory.put(amount, memory.path(amount).asLong() - diskBytes);
        }
    }

    /** Removes the file of a sandbox that was not mounted. */
    void remove(Name name) throws IOException {
        Files.deleteIfExists(file(name));
    }

    /** Removes files that a node has left behind when it died while it made a sandbox. */
    void sweep() throws IOException {
        Instant old = clock.now().minus(UNUSED_AFTER);
        for (Path file : files()) {
            try {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(old)) {
                    Files.deleteIfExists(file);
                }
            } catch (NoSuchFileException gone) {
                // Its sandbox has it.
            }
        }
    }

    private Path file(Name name) {
        return folder.resolve(name.mark() + "-" + name.id());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
