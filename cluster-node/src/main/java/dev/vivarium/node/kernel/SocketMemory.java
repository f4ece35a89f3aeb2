package dev.vivarium.node.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The memory in the queues of all sockets of the machine, which the kernel bounds for TCP and for UDP as a whole.
 *
 * @param tcp from its mark on, the windows of all connections are made small
 * @param udp from its mark on, datagrams to all sockets that have more than 4 KiB are dropped
 */
public record SocketMemory(Protocol tcp, Protocol udp) {
    private static final int READ_BYTES_MAX = 4096;
    private static final Pattern MEMORY = Pattern.compile("(?m)^MemTotal: +([0-9]{1,15}) kB$");
    private static final Pattern MARKS = Pattern.compile("^([0-9]{1,15})\\s+([0-9]{1,15})\\s+[0-9]{1,15}\\s*$");

    /** Where a protocol's mark is, and the kernel's own for it, as a part of the machine's memory. */
    private enum Kind {
        /** Its second number: memory pressure. */
        TCP(2, 1, 16),
        /** Its first number, since UDP knows no pressure. */
        UDP(1, 3, 32);

        private final int number;
        private final int parts;
        private final int partsOfMemory;

        Kind(int number, int parts, int partsOfMemory) {
            this.number = number;
            this.parts = parts;
            this.partsOfMemory = partsOfMemory;
        }

        private String setting() {
            return "net.ipv4." + name().toLowerCase(Locale.ROOT) + "_mem";
        }
    }

    /**
     * One protocol's.
     *
     * @param setting the name of the kernel's setting with the mark
     * @param bytes what is in use
     * @param markBytes what may be, before the kernel throttles everyone
     */
    public record Protocol(String setting, long bytes, long markBytes) {
        /** Whether less than a quarter is left. */
        boolean isScarce() {
            return bytes > markBytes / 4 * 3;
        }

        private double part() {
            return (double) bytes / markBytes;
        }
    }

    /** As a machine's proc file system has it; empty where that cannot be read. */
    public static Optional<SocketMemory> of(Path proc) {
        try {
            String inUse = KernelText.read(proc.resolve("net/sockstat"), READ_BYTES_MAX);
            long pageBytes = PageSize.bytes(proc);
            Optional<Protocol> tcp = protocol(proc, inUse, pageBytes, Kind.TCP);
            Optional<Protocol> udp = protocol(proc, inUse, pageBytes, Kind.UDP);
            return tcp.isPresent() && udp.isPresent()
                    ? Optional.of(new SocketMemory(tcp.get(), udp.get()))
                    : Optional.empty();
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    private static Optional<Protocol> protocol(Path proc, String inUse, long pageBytes, Kind kind) throws IOException {
        Matcher line =
                Pattern.compile("(?m)^" + kind + ":.* mem ([0-9]{1,15})$").matcher(inUse);
        long mark = markBytes(proc, pageBytes, kind);
        return line.find() && mark > 0
                ? Optional.of(new Protocol(kind.setting(), Long.parseLong(line.group(1)) * pageBytes, mark))
                : Optional.empty();
    }

    /** A network namespace of its own, such as a pod's, counts what the machine uses, but has no file of the setting. */
    private static long markBytes(Path proc, long pageBytes, Kind kind) throws IOException {
        Path setting = proc.resolve("sys/" + kind.setting().replace('.', '/'));
        if (Files.exists(setting)) {
            Matcher marks = MARKS.matcher(KernelText.read(setting, READ_BYTES_MAX));
            return marks.matches() ? Long.parseLong(marks.group(kind.number)) * pageBytes : 0;
        }
        Matcher memory = MEMORY.matcher(KernelText.read(proc.resolve("meminfo"), READ_BYTES_MAX));
        return memory.find() ? (Long.parseLong(memory.group(1)) << 10) / kind.partsOfMemory * kind.parts : 0;
    }

    /** The protocol that has less than a quarter left; of two, the one with the larger part in use. */
    public Optional<Protocol> scarce() {
        return Stream.of(tcp, udp).filter(Protocol::isScarce).max(Comparator.comparingDouble(Protocol::part));
    }
}
