package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/** PostgreSQL's programs, unpacked from the class path once per version. */
final class ServerBinaries {
    private static final Logger log = LoggerFactory.getLogger(ServerBinaries.class);

    /** Archive names on the class path by Java's {@code os.arch}. */
    private static final Map<String, String> ARCHITECTURES =
            Map.of("amd64", "x86_64", "x86_64", "x86_64", "aarch64", "arm_64");

    private ServerBinaries() {}

    /**
     * The directory of the programs, unpacked on first use: {@code <base>/bin-<archive's checksum>}, so that the files
     * of different archives never mix. The directory appears by a rename, hence complete or not at all.
     */
    static Path unpackedBelow(Path base) throws IOException {
        URL archive = archive();
        Path home = base.resolve("bin-" + fingerprint(archive));
        if (Files.isDirectory(home)) {
            return home;
        }
        log.info("Unpacking PostgreSQL to {}, once", home);
        Path draft = base.resolve("bin.new");
        Trees.delete(draft);
        DurableFiles.createPublicDirectory(draft);
        unpack(archive, draft);
        Commands.run("sync", "-f", draft.toString());
        Files.move(draft, home, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.syncDirectory(base);
        return home;
    }

    private static URL archive() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        String name = "/postgres-" + system + "-" + ARCHITECTURES.getOrDefault(machine, machine) + ".txz";
        URL archive = ServerBinaries.class.getResource(name);
        if (archive == null) {
            throw new StoreUnavailable("This build has no PostgreSQL for " + system + " on " + machine
                    + ": use an external PostgreSQL, or a machine with Linux on x86_64.");
        }
        return archive;
    }

    private static String fingerprint(URL archive) throws IOException {
        URLConnection connection = archive.openConnection();
        long fingerprint = connection instanceof JarURLConnection jar
                ? jar.getJarEntry().getCrc()
                : connection.getContentLengthLong();
        return Long.toHexString(fingerprint);
    }

    private static void unpack(URL archive, Path into) throws IOException {
        try (InputStream bytes = new BufferedInputStream(archive.openStream(), 1 << 16);
                TarArchiveInputStream entries = new TarArchiveInputStream(new XZInputStream(bytes))) {
            for (TarArchiveEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
                if (isNeeded(entry.getName())) {
                    unpack(entry, entries, into);
                }
            }
        }
    }

    /** Libraries to link against and the extension build kit are two thirds of the files, and unused here. */
    private static boolean isNeeded(String name) {
        return !name.endsWith(".a") && !name.contains("/pgxs/") && !name.contains("/pkgconfig/");
    }

    private static void unpack(TarArchiveEntry entry, InputStream content, Path into) throws IOException {
        Path target = into.resolve(entry.getName()).normalize();
        if (!target.startsWith(into)) {
            throw new IOException("The archive of PostgreSQL has a file outside its directory: " + entry.getName());
        }
        if (entry.isDirectory()) {
            createEnterable(target, into);
            return;
        }
        createEnterable(target.resolveSibling(".").normalize(), into);
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
        } else {
            Files.copy(content, target);
            boolean executable = (entry.getMode() & 0100) != 0;
            Files.setPosixFilePermissions(
                    target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
    }

    /** The archive does not name every directory above its files. */
    private static void createEnterable(Path directory, Path top) throws IOException {
        if (!directory.equals(top) && !Files.isDirectory(directory)) {
            createEnterable(directory.resolveSibling(".").normalize(), top);
            DurableFiles.createPublicDirectory(directory);
        }
    }
}
