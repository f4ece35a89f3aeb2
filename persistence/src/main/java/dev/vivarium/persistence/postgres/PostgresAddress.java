package dev.vivarium.persistence.postgres;

/**
 * Where a PostgreSQL is and who we are to it.
 *
 * @param url the JDBC URL
 * @param user the role, owner of the database
 * @param password the role's password
 */
public record PostgresAddress(String url, String user, String password) {
    /** Without the password. */
    @Override
    public String toString() {
        return user + " at " + url;
    }
}
