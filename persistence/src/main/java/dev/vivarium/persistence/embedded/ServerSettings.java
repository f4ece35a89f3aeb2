package dev.vivarium.persistence.embedded;

/** The server's configuration: durable before fast, small before fast, one machine, one user. */
final class ServerSettings {
    /** PostgreSQL's own default: the pools of a handful of nodes, and a psql of the operator's. */
    private static final int CONNECTIONS_MAX = 100;

    /** PostgreSQL names its socket by it. */
    static final int PORT = 5432;

    private ServerSettings() {}

    /** {@code postgresql.conf}. */
    static String server(String socketDirectory) {
        return """
                # Written anew by Vivarium at every start; changes do not last.
                listen_addresses = ''
                port = %d
                unix_socket_directories = '%s'
                unix_socket_permissions = 0700
                max_connections = %d
                password_encryption = 'scram-sha-256'
                allow_alter_system = off

                # What was acknowledged is on the disk.
                fsync = on
                synchronous_commit = on
                full_page_writes = on
                restart_after_crash = on

                # Small, and quick to recover: a crash replays at most this much.
                shared_buffers = 32MB
                dynamic_shared_memory_type = posix
                huge_pages = off
                wal_level = minimal
                max_wal_senders = 0
                wal_compression = pglz
                min_wal_size = 32MB
                max_wal_size = 256MB
                checkpoint_timeout = 5min

                # Short queries by key: no helpers, no compilation.
                io_method = sync
                max_worker_processes = 2
                max_parallel_workers = 0
                max_parallel_workers_per_gather = 0
                autovacuum_worker_slots = 2
                autovacuum_max_workers = 1
                jit = off

                # A transaction that is forgotten open would hold up the projection.
                idle_in_transaction_session_timeout = 60s

                # No statement in the log: a statement may hold what a run holds.
                log_min_messages = log
                log_min_error_statement = panic
                log_checkpoints = off
                log_timezone = 'UTC'
                timezone = 'UTC'
                lc_messages = 'C'
                """
                .formatted(PORT, socketDirectory, CONNECTIONS_MAX);
    }

    /** {@code pg_hba.conf}. */
    static String access() {
        return """
                # Written anew by Vivarium at every start; changes do not last.
                local all all scram-sha-256
                """;
    }
}
