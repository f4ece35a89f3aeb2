package dev.vivarium.node.whole;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the memory of another process of this machine. */
final class ProcessMemory {
    private ProcessMemory() {}

    /** The readable memory of a process, without the kernel's mappings. */
    static byte[] of(long process) throws IOException {
        ByteArrayOutputStream memory = new ByteArrayOutputStream();
        try (RandomAccessFile source = new RandomAccessFile("/proc/" + process + "/mem", "r")) {
            for (String line : Files.readAllLines(Path.of("/proc/" + process + "/maps"))) {
                String[] words = line.split("[ -]", 4);
                if (words[2].startsWith("r") && !line.contains("[v")) {
                    long from = Long.parseUnsignedLong(words[0], 16);
                    byte[] mapped = new byte[Math.toIntExact(Long.parseUnsignedLong(words[1], 16) - from)];
                    source.seek(from);
                    source.readFully(mapped);
                    memory.writeBytes(mapped);
                }
            }
        }
        return memory.toByteArray();
    }
}
