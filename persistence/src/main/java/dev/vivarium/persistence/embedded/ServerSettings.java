package dev.vivarium.persistence.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Random;

/** The server's configuration: durable before fast, small before fast, one machine, one user. */
final class ServerSettings {
    /** PostgreSQL's own default: the pools of a handful of nodes, and a psql of the operator's. */
    private static final int CONNECTIONS_MAX = 100;

    /**
     * Ports are taken from below the kernel's ephemeral range: a client that keeps connecting to an ephemeral port whose
     * server is away for a moment can meet itself there (TCP's simultaneous open) and so keep the server from it.
     */
    private static final int PORT_MIN = 20_000;

    private static final int PORT_MAX = 32_000;
    private static final int PORT_TRIES = 200;

    private ServerSettings() {}

    /** {@code postgresql.conf}. */
    static String server(int port) {
        return """
                # Written anew by Vivarium at every start; changes do not last.
                listen_addresses = '127.0.0.1'
                port = %d
                unix_socket_directories = ''
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
                .formatted(port, CONNECTIONS_MAX);
    }

    /** {@code pg_hba.conf}. */
    static String access() {
        return """
                # Written anew by Vivarium at every start; changes do not last.
                host all all 127.0.0.1/32 scram-sha-256
                """;
    }

    /** A port that nobody listens on now. */
    static int freePort() throws IOException {
        Random random = new Random();
        for (int attempt = 0; attempt < PORT_TRIES; attempt++) {
            int port = PORT_MIN + random.nextInt(PORT_MAX - PORT_MIN);
            if (isFree(port)) {
                return port;
            }
        }
        throw new IOException("No free port between " + PORT_MIN + " and " + PORT_MAX + ".");
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
