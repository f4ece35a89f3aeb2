package dev.vivarium.node.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks the executables in C against their compiler options. Numbers are those of the ELF specification. */
@ParameterizedClass
@ValueSource(strings = {"vivarium-init", "vivarium-launch", "vivarium-link"})
class GuestProgramTest {
    private static final int SIZE_MAX_BYTES = 100_000;
    private static final int EXECUTABLE = 1;
    private static final int WRITABLE = 2;

    @Parameter
    private String name;

    @Test
    void itIsSmall() throws IOException {
        assertThat(program()).hasSizeBetween(10_000, SIZE_MAX_BYTES);
    }

    /** Without an interpreter and without dynamic libraries it runs in an empty image. */
    @Test
    void itIsStatic() throws IOException {
        assertThat(segments()).extracting(Segment::kind).doesNotContain(Kind.INTERPRETER, Kind.DYNAMIC);
    }

    @Test
    void nothingInItIsBothWritableAndExecutable() throws IOException {
        List<Segment> loaded = segments().stream()
                .filter(segment -> segment.kind == Kind.LOADED || segment.kind == Kind.STACK)
                .toList();

        assertThat(loaded).extracting(Segment::kind).contains(Kind.LOADED, Kind.STACK);
        assertThat(loaded).noneMatch(segment -> (segment.flags & (EXECUTABLE | WRITABLE)) == (EXECUTABLE | WRITABLE));
        assertThat(loaded)
                .filteredOn(segment -> segment.kind == Kind.STACK)
                .allMatch(segment -> (segment.flags & EXECUTABLE) == 0);
    }

    @Test
    void itsTablesAreMarkedReadOnly() throws IOException {
        assertThat(segments()).extracting(Segment::kind).contains(Kind.READ_ONLY_AFTER_START);
    }

    @Test
    void aSecondBuildElsewhereGivesTheSameBytes(@TempDir Path elsewhere) throws Exception {
        Path sources = Path.of("src/main").toAbsolutePath();
        Path copies = elsewhere.resolve("copies");
        for (String folder : List.of("guest", "launch", "link")) {
            copy(sources.resolve(folder), Files.createDirectories(copies.resolve(folder)));
        }

        build(sources.resolve("guest"), elsewhere.resolve("first"));
        build(copies.resolve("guest"), elsewhere.resolve("second"));

        assertThat(elsewhere.resolve("first").resolve(name)).hasBinaryContent(program());
        assertThat(elsewhere.resolve("second").resolve(name)).hasBinaryContent(program());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static void build(Path source, Path out) throws IOException, InterruptedException {
        Process make = new ProcessBuilder("make", "--silent", "-C", source.toString(), "OUT=" + out)
                .inheritIO()
                .start();
        assertThat(make.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(make.exitValue()).isZero();
    }

    private byte[] program() throws IOException {
        return Files.readAllBytes(TestGuest.resource("/guest/" + name));
    }

    private enum Kind {
        LOADED,
        DYNAMIC,
        INTERPRETER,
        STACK,
        READ_ONLY_AFTER_START,
        OTHER
    }

    private record Segment(Kind kind, int flags) {}

    private List<Segment> segments() throws IOException {
        ByteBuffer elf = ByteBuffer.wrap(program()).order(ByteOrder.LITTLE_ENDIAN);
        int table = Math.toIntExact(elf.getLong(32));
        int size = elf.getShort(54);
        List<Segment> segments = new ArrayList<>();
        for (int index = 0; index < elf.getShort(56); index++) {
            int at = table + index * size;
            segments.add(new Segment(kind(elf.getInt(at)), elf.getInt(at + 4)));
        }
        return segments;
    }

    private static Kind kind(int number) {
        return switch (number) {
            case 1 -> Kind.LOADED;
            case 2 -> Kind.DYNAMIC;
            case 3 -> Kind.INTERPRETER;
            case 0x6474e551 -> Kind.STACK;
            case 0x6474e552 -> Kind.READ_ONLY_AFTER_START;
            default -> Kind.OTHER;
        };
    }
}
