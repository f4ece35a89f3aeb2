package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.embedded.ServerAccount.Ids;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The accounts in a passwd file, and the users of this machine's processes. */
final class Accounts {
    static final Set<PosixFilePermission> WORLD_READABLE = PosixFilePermissions.fromString("rw-r--r--");

    private static final int FIELDS_MIN = 4;

    private final Map<String, Ids> named;

    private Accounts(Map<String, Ids> named) {
        this.named = named;
    }

    static Accounts of(Path passwd) throws IOException {
        Map<String, Ids> named = new HashMap<>();
        for (String line : Files.readAllLines(passwd, StandardCharsets.ISO_8859_1)) {
            String[] fields = line.split(":", -1);
            if (fields.length >= FIELDS_MIN) {
                try {
                    named.put(fields[0], new Ids(Integer.parseInt(fields[2]), Integer.parseInt(fields[3])));
                } catch (NumberFormatException notAnAccount) {
                    // Other programs do not accept such a line as an account either.
                }
            }
        }
        return new Accounts(named);
    }

    /** One line of a passwd file. */
    static byte[] line(String name, Ids ids) {
        String line = name + ":x:" + ids.user() + ":" + ids.group() + "::/nonexistent:/usr/sbin/nologin\n";
        return line.getBytes(StandardCharsets.US_ASCII);
    }

    /** An account by its name, unless it is root by another name. */
    Optional<Ids> named(String name) {
        return Optional.ofNullable(named.get(name)).filter(ids -> ids.user() != 0);
    }

    boolean isUnnamed(int user) {
        return named.values().stream().noneMatch(ids -> ids.user() == user);
    }

    /** The users of current processes. */
    static Set<Integer> running() throws IOException {
        Set<Integer> users = new HashSet<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                try {
                    if (Files.getAttribute(process, "unix:uid") instanceof Integer user) {
                        users.add(user);
                    }
                } catch (IOException ended) {
                    // The process has ended.
                }
            }
        }
        return users;
    }
}
