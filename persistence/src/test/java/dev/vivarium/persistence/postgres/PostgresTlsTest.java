package dev.vivarium.persistence.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClearText;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom a node believes that it is the database. */
@Timeout(60)
class PostgresTlsTest {
    @RegisterExtension
    static final TlsPostgres SERVER = new TlsPostgres();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql:vivarium",
                "jdbc:postgresql:///vivarium",
                "jdbc:postgresql://localhost/vivarium",
                "jdbc:postgresql://127.0.0.1:5432/vivarium",
                "jdbc:postgresql://[::1]:5432/vivarium?sslmode=disable",
                "jdbc:postgresql://localhost:1,127.0.0.2:2/vivarium",
                "jdbc:postgresql://db.example.com/vivarium?sslmode=verify-full",
                "jdbc:postgresql://db/vivarium?socketFactory=org.newsclub.net.unix.AFUNIXSocketFactory$FactoryArg"
            })
    void anAddressOnThisMachineOrOneThatVerifiesIsTakenAsItIs(String url) {
        assertThat(PostgresTls.url(url, "", ClearText.REFUSED)).isEqualTo(url);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://db.example.com/vivarium",
                "jdbc:postgresql://10.0.0.5:5432/vivarium?connectTimeout=3",
                "jdbc:postgresql://localhost:5432,db.example.com:5432/vivarium",
                "jdbc:postgresql://127.0.0.1.example.com/vivarium",
                "jdbc:postgresql://[2001:db8::5]:5432/vivarium"
            })
    void connectionsToAnotherMachineAreVerified(String url) {
        assertThat(PostgresTls.url(url, "", ClearText.REFUSED))
                .startsWith(url)
                .contains("sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory");
        assertThat(PostgresTls.url(url, "/etc/db & co/ca.pem", ClearText.REFUSED))
                .contains("sslmode=verify-full&sslrootcert=%2Fetc%2Fdb+%26+co%2Fca.pem");
        assertThat(PostgresTls.url(url, "", ClearText.ALLOWED)).isEqualTo(url);
    }

    @ParameterizedTest
    @CsvSource({"disable", "allow", "prefer", "require", "verify-ca", "''", "VERIFY-FULL"})
    void anAddressThatVerifiesNobodyIsRefusedUnlessTheOperatorInsists(String mode) {
        String url = "jdbc:postgresql://db.example.com/vivarium?sslmode=" + mode;

        if (mode.isEmpty()) {
            assertThat(PostgresTls.url(url, "", ClearText.REFUSED)).endsWith("DefaultJavaSSLFactory");
        } else {
            assertThatThrownBy(() -> PostgresTls.url(url, "", ClearText.REFUSED))
                    .isInstanceOf(StoreUnavailable.class)
                    .hasMessageContaining("sslmode=" + mode)
                    .hasMessageContaining("insecure-store-in-clear-text");
            assertThat(PostgresTls.url(url, "", ClearText.ALLOWED)).isEqualTo(url);
        }
    }

    @Test
    void aServerWithACertificateOfTheAuthorityForItsAddressIsSpokenWithEncrypted() throws SQLException {
        try (Connection connection = connect("127.0.0.1", SERVER.authority());
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getBoolean(1)).isTrue();
            assertThat(rows.getString(2)).isIn("TLSv1.2", "TLSv1.3");
        }
    }

    @Test
    void aServerOfAnotherAuthorityOrForAnotherAddressIsNotSpokenWith() {
        assertThatThrownBy(() -> connect("127.0.0.1", SERVER.foreignAuthority()))
                .isInstanceOf(SQLException.class)
                .hasStackTraceContaining("certif");
        assertThatThrownBy(() -> connect("localhost", SERVER.authority()))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("localhost")
                .hasMessageContaining("verif");
    }

    private static Connection connect(String host, String authority) throws SQLException {
        return DriverManager.getConnection(
                PostgresTls.url(
                        "jdbc:postgresql://" + host + ":" + SERVER.port() + "/postgres", authority, ClearText.REFUSED),
                "vivarium",
                "secret");
    }
}
