package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * How to use an external PostgreSQL server; reference.conf explains the keys.
 *
 * @param address the database
 * @param keys the folder of the secrets' keys, shared by all nodes
 * @param startWait how long to wait at start for a server that is down
 */
public record PostgresSettings(PostgresAddress address, Path keys, Duration startWait) {
    private static final String KEY = "vivarium.store.postgres.";
    private static final int PASSWORD_BYTES_MAX = 1024;

    /**
     * Reads {@code vivarium.store.postgres}, and the file of the password.
     *
     * @throws StoreUnavailable with a sentence that names the missing or invalid key
     */
    public static PostgresSettings from(Config postgres) {
        String url = given(postgres, "url");
        if (!url.startsWith("jdbc:postgresql:")) {
            throw new StoreUnavailable(KEY + "url is \"" + url
                    + "\", and must be a JDBC address such as jdbc:postgresql://db.example.com:5432/vivarium.");
        }
        String user = given(postgres, "user");
        Path keys = Path.of(given(postgres, "keys"));
        String password = password(Path.of(given(postgres, "password-file")));
        String protectedUrl = PostgresTls.url(
                url,
                postgres.getString("authority").strip(),
                ClearText.of(postgres.getBoolean("insecure-store-in-clear-text")));
        return new PostgresSettings(
                new PostgresAddress(protectedUrl, user, password), keys, postgres.getDuration("start-wait"));
    }

    /** These settings with another wait. */
    PostgresSettings waiting(Duration wait) {
        return new PostgresSettings(address, keys, wait);
    }

    private static String given(Config postgres, String key) {
        String value = postgres.getString(key).strip();
        if (value.isEmpty()) {
            throw new StoreUnavailable(
                    KEY + key + " is empty: vivarium.store.kind = postgres needs it; reference.conf says what it is.");
        }
        return value;
    }

    private static String password(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(PASSWORD_BYTES_MAX + 1);
            if (content.length > PASSWORD_BYTES_MAX) {
                throw new StoreUnavailable(KEY + "password-file: " + file + " is longer than a password can be.");
            }
            return new String(content, StandardCharsets.UTF_8).stripTrailing();
        } catch (IOException unreadable) {
            throw new StoreUnavailable(
                    KEY + "password-file: " + file + " cannot be read (" + unreadable + ").", unreadable);
        }
    }
}
