package dev.vivarium.persistence.postgres;

/**
 * How to connect to a PostgreSQL.
 *
 * @param url the JDBC URL
 * @param user the role, owner of the database
 * @param password the role's password
 */
public record PostgresAddress(String url, String user, String password) {
    /** Omits the password. */
    @Override
    public String toString() {
        return user + " at " + url;
    }
}
