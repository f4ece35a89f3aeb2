package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.postgres.PostgresAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server that belongs to one node. It opens no port: its Unix socket is in a folder that only its own
 * account and this machine's root can enter, and asks for a password that only those can read. It holds all its files
 * below one directory:
 *
 * <pre>
 * bin-<i>checksum</i>/      the programs
 * data/              what PostgreSQL calls the data directory
 * conf/              its configuration, rewritten at every start
 * socket/            its Unix socket, new at every start
 * password           of the one role
 * server.log         what the server says
 * </pre>
 *
 * <p>The server lives as long as this object: {@link ServerKeeper} restarts it when it dies, and the kernel ends it
 * when the node's process ends for whatever reason. The caller must have exclusive use of the directory.
 */
final class EmbeddedPostgres implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgres.class);

    private static final String USER = "vivarium";
    private static final int PASSWORD_BYTES = 24;
    private static final int PASSWORD_FILE_BYTES_MAX = 1024;
    private static final long LOG_BYTES_MAX = 1 << 20;

    private final ServerKeeper keeper;
    private final PostgresAddress address;
    private final ServerSocketFolder socket;

    private EmbeddedPostgres(ServerKeeper keeper, PostgresAddress address, ServerSocketFolder socket) {
        this.keeper = keeper;
        this.address = address;
        this.socket = socket;
    }

    /**
     * Starts the server, making its data first if there is none, and returns when it takes connections.
     *
     * @throws StoreUnavailable with a sentence for the user when it cannot start
     */
    static EmbeddedPostgres start(Path directory, Clock clock) {
        try {
            DurableFiles.createPublicDirectory(directory);
            return startIn(directory.toRealPath(), clock);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StoreUnavailable("The start of the embedded PostgreSQL was interrupted.", interrupted);
        } catch (IOException failed) {
            throw new StoreUnavailable(
                    "The embedded PostgreSQL in " + directory + " cannot start: " + failed.getMessage(), failed);
        }
    }

    private static EmbeddedPostgres startIn(Path base, Clock clock) throws IOException, InterruptedException {
        Path data = base.resolve("data");
        ServerAccount account = ServerAccount.choose(base, data);
        Path programs = ServerBinaries.unpackedBelow(base).resolve("bin");
        String password = password(base, account, Files.exists(data));
        if (!Files.exists(data)) {
            initialize(base, data, programs, account);
        } else if (!account.owns(data)) {
            Leftovers.clear(data, clock);
            account.takeOver(data);
        }
        ServerSocketFolder socket = ServerSocketFolder.create(base, account);
        List<String> command = command(base, data, programs, account, socket);
        ServerKeeper keeper = ServerKeeper.start(command, data, rotatedLog(base), clock);
        return new EmbeddedPostgres(keeper, new PostgresAddress(socket.url(), USER, password), socket);
    }

    /**
     * How to connect to a server that another process of this machine has started, for its account and root.
     *
     * @throws StoreUnavailable with a sentence for the user when it cannot be reached
     */
    static PostgresAddress running(Path directory) {
        Path password = directory.resolve("password");
        ServerSocketFolder socket = ServerSocketFolder.ofRunning(directory)
                .orElseThrow(() -> new StoreUnavailable("The socket of the PostgreSQL in " + directory
                        + " is not to be found there: stop its node, and try again."));
        try {
            return new PostgresAddress(socket.url(), USER, read(password));
        } catch (IOException unreadable) {
            throw new StoreUnavailable(
                    password + " cannot be read (" + unreadable + "): only the node's own account and root may.",
                    unreadable);
        }
    }

    private static String read(Path password) throws IOException {
        return new String(DurableFiles.read(password, PASSWORD_FILE_BYTES_MAX), StandardCharsets.US_ASCII);
    }

    /** How to connect; constant for the lifetime of this object. */
    PostgresAddress address() {
        return address;
    }

    /** The server's main process; changes when the server is started again. */
    ProcessHandle process() {
        return keeper.process();
    }

    /** Ends the server, cleanly if it lets us, and returns when it is gone. */
    @Override
    public void close() {
        keeper.close();
        try {
            socket.remove();
        } catch (IOException left) {
            log.warn("The folder of the embedded PostgreSQL's socket is left behind: {}", left.getMessage());
        }
    }

    private static String password(Path base, ServerAccount account, boolean dataExists) throws IOException {
        Path file = base.resolve("password");
        if (!Files.exists(file)) {
            if (dataExists) {
                throw new StoreUnavailable("The password of the data in " + base + " is gone: restore the file " + file
                        + ", or set a new one with pg_hba.conf and ALTER ROLE.");
            }
            byte[] random = new byte[PASSWORD_BYTES];
            new SecureRandom().nextBytes(random);
            byte[] password = HexFormat.of().formatHex(random).getBytes(StandardCharsets.US_ASCII);
            DurableFiles.write(file, password, DurableFiles.OWNER_ONLY);
        }
        account.own(file);
        return read(file);
    }

    /** Makes the data under another name first, so that it is there whole or not at all. */
    private static void initialize(Path base, Path data, Path programs, ServerAccount account) throws IOException {
        log.info("Making the embedded PostgreSQL's data in {}", data);
        Path draft = base.resolve("data.new");
        Trees.delete(draft);
        DurableFiles.createPrivateDirectory(draft);
        account.own(draft);
        Commands.run(account.command(
                "KILL",
                List.of(
                        account.seen(programs.resolve("initdb")),
                        "--pgdata=" + account.seen(draft),
                        "--username=" + USER,
                        "--pwfile=" + account.seen(base.resolve("password")),
                        "--auth=scram-sha-256",
                        "--encoding=UTF8",
                        "--locale=C",
                        "--no-instructions")));
        Files.move(draft, data, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.syncDirectory(base);
    }

    /**
     * The configuration is outside of the data, where the server may read it and not write it: a node that runs as root
     * must never write into another user's directory.
     */
    private static List<String> command(
            Path base, Path data, Path programs, ServerAccount account, ServerSocketFolder socket) throws IOException {
        Path conf = base.resolve("conf");
        DurableFiles.createPublicDirectory(conf);
        Path server = conf.resolve("postgresql.conf");
        Path access = conf.resolve("pg_hba.conf");
        DurableFiles.write(
                server,
                ServerSettings.server(account.seen(socket.path())).getBytes(StandardCharsets.UTF_8),
                Accounts.WORLD_READABLE);
        DurableFiles.write(access, ServerSettings.access().getBytes(StandardCharsets.UTF_8), Accounts.WORLD_READABLE);
        return account.command(
                ServerKeeper.DEATH_SIGNAL,
                List.of(
                        account.seen(programs.resolve("postgres")),
                        "-D",
                        account.seen(data),
                        "-c",
                        "config_file=" + account.seen(server),
                        "-c",
                        "hba_file=" + account.seen(access)));
    }

    /** The log of this start and the ones before, up to a size; beyond that, the older half of it. */
    private static Path rotatedLog(Path base) throws IOException {
        Path file = base.resolve("server.log");
        if (Files.exists(file) && Files.size(file) > LOG_BYTES_MAX) {
            Files.move(file, base.resolve("server.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }
}
