package dev.vivarium.persistence.postgres;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * The form of a backup: a ZIP file with an entry for each table, in the text form of PostgreSQL's COPY, and the contents as
 * its last entry. A file that was cut off has neither the contents nor the ZIP's directory.
 */
final class BackupFile implements AutoCloseable {
    private static final int FORMAT = 1;
    private static final String CONTENTS = "contents.json";
    private static final int CONTENTS_BYTES_MAX = 1 << 20;
    private static final ObjectMapper JSON = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private final ZipFile zip;
    private final Contents contents;

    private BackupFile(ZipFile zip, Contents contents) {
        this.zip = zip;
        this.contents = contents;
    }

    /**
     * What the file holds.
     *
     * @param format of this file
     * @param schema the version of the tables
     * @param installation whose tables they are
     * @param takenAt when
     * @param tables in the order in which rows can be inserted
     */
    record Contents(int format, int schema, String installation, Instant takenAt, List<Table> tables) {
        Contents {
            tables = List.copyOf(tables);
        }

        static Contents of(int schema, String installation, Instant takenAt, List<Table> tables) {
            return new Contents(FORMAT, schema, installation, takenAt, tables);
        }

        long rows() {
            return tables.stream().mapToLong(Table::rows).sum();
        }

        long rowsOf(String table) {
            return tables.stream()
                    .filter(one -> one.name().equals(table))
                    .mapToLong(Table::rows)
                    .sum();
        }
    }

    /**
     * A table's rows.
     *
     * @param name of the table
     * @param columns in the order of the copy
     * @param rows their number
     * @param sha256 of the copy, in hexadecimal
     */
    record Table(String name, List<String> columns, long rows, String sha256) {
        Table {
            columns = List.copyOf(columns);
        }

        String entry() {
            return "tables/" + name + ".copy";
        }
    }

    /** Writes the last entry of a backup. */
    static void finish(ZipOutputStream zip, Contents contents) throws IOException {
        zip.putNextEntry(new ZipEntry(CONTENTS));
        zip.write(JSON.writeValueAsBytes(contents));
        zip.closeEntry();
    }

    /**
     * Opens a backup, and checks that it is whole, but for the rows themselves.
     *
     * @throws StoreUnavailable with a sentence when it is none, was cut off, or is of a later version
     */
    static BackupFile open(Path file) throws IOException {
        ZipFile zip;
        try {
            zip = new ZipFile(file.toFile());
        } catch (ZipException damaged) {
            throw new StoreUnavailable(
                    file + " is no backup, or was cut off: " + damaged.getMessage() + ". Nothing was restored.",
                    damaged);
        }
        try {
            return new BackupFile(zip, checked(file, zip));
        } catch (RuntimeException | IOException refused) {
            zip.close();
            throw refused;
        }
    }

    private static Contents checked(Path file, ZipFile zip) throws IOException {
        ZipEntry entry = zip.getEntry(CONTENTS);
        if (entry == null) {
            throw new StoreUnavailable(file + " is no backup of a Vivarium store: it has no " + CONTENTS + ".");
        }
        Contents contents;
        try (InputStream bytes = zip.getInputStream(entry)) {
            contents = JSON.readValue(bytes.readNBytes(CONTENTS_BYTES_MAX), Contents.class);
        } catch (JsonProcessingException | NullPointerException damaged) {
            throw new StoreUnavailable(file + " is damaged: its " + CONTENTS + " cannot be read.", damaged);
        }
        if (contents.format() != FORMAT || contents.schema() > Schema.VERSION) {
            throw new StoreUnavailable(file + " has schema " + contents.schema() + " in format " + contents.format()
                    + ", and this version of Vivarium knows schema " + Schema.VERSION + " in format " + FORMAT
                    + ": restore it with the version that made it.");
        }
        List<String> missing = new ArrayList<>();
        HashSet<String> names = new HashSet<>();
        for (Table table : contents.tables()) {
            if (zip.getEntry(table.entry()) == null || !names.add(table.name())) {
                missing.add(table.name());
            }
        }
        if (!missing.isEmpty()) {
            throw new StoreUnavailable(file + " is damaged: it does not have the tables " + missing + " once.");
        }
        return contents;
    }

    Contents contents() {
        return contents;
    }

    InputStream rows(Table table) throws IOException {
        return zip.getInputStream(zip.getEntry(table.entry()));
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
