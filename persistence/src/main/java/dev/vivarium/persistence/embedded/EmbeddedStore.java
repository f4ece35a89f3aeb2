package dev.vivarium.persistence.embedded;

import com.typesafe.config.Config;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.StoredLog;
import dev.vivarium.persistence.content.BlobSweepSettings;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.postgres.PostgresAddress;
import dev.vivarium.persistence.postgres.PostgresBackup;
import dev.vivarium.persistence.postgres.PostgresJournal;
import dev.vivarium.persistence.postgres.PostgresStore;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.Backup;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.persistence.store.RunFiles;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/**
 * The store of a single machine, with nothing to install: everything is in one data directory, used by one node at a
 * time. Open it before the actor system, whose configuration it completes; close it afterwards.
 */
public final class EmbeddedStore implements Store {
    private final DataLock lock;
    private final EmbeddedPostgres server;
    private final PostgresStore store;

    private EmbeddedStore(DataLock lock, EmbeddedPostgres server, PostgresStore store) {
        this.lock = lock;
        this.server = server;
        this.store = store;
    }

    /**
     * Opens the store, creating it in a new directory. Blocks for some seconds the first time, later for some tenths of
     * a second.
     *
     * @throws StoreUnavailable with a sentence for the user when it cannot be opened, or another node has it open
     */
    public static EmbeddedStore open(Path dataDir, BlobSweepSettings blobs) {
        try {
            createDirectory(dataDir);
            Path data = dataDir.toRealPath();
            return openLocked(data, DataLock.take(data), blobs);
        } catch (IOException failed) {
            throw new StoreUnavailable(
                    "The data directory " + dataDir + " cannot be created or written to (" + failed
                            + "): choose another one, or give this user permission to write to it.",
                    failed);
        }
    }

    /** Opens the store with the default sweep of blobs. */
    public static EmbeddedStore open(Path dataDir) {
        return open(dataDir, BlobSweepSettings.STANDARD);
    }

    /**
     * Starts the server of a node that does not run, and opens its log of events only, for reading.
     *
     * @throws StoreUnavailable with a sentence for the user when there is none, or a node has it open
     */
    public static StoredLog log(Path dataDir) {
        try {
            requireStore(dataDir);
            Path data = dataDir.toRealPath();
            DataLock lock = DataLock.take(data);
            try {
                EmbeddedPostgres server = EmbeddedPostgres.start(data.resolve("postgres"), MonotonicClock.system());
                StoredLog log = PostgresStore.log(server.address());
                return new StoredLog(log.audit(), () -> {
                    log.close();
                    server.close();
                    release(lock);
                });
            } catch (RuntimeException failed) {
                lock.close();
                throw failed;
            }
        } catch (IOException failed) {
            throw new StoreUnavailable("The store in " + dataDir + " cannot be opened (" + failed + ").", failed);
        }
    }

    /**
     * Copies what the store's tables hold into a new file, whether its node runs or not.
     *
     * @throws StoreUnavailable with a sentence for the operator when there is no store, or no copy can be made
     */
    public static Backup backup(Path dataDir, Path file, Clock clock) {
        try {
            requireStore(dataDir);
            Path data = dataDir.toRealPath();
            Path postgres = data.resolve("postgres");
            Optional<DataLock> lock = DataLock.tryToTake(data);
            if (lock.isEmpty()) {
                return PostgresBackup.write(EmbeddedPostgres.running(postgres), file, clock);
            }
            try (EmbeddedPostgres server = EmbeddedPostgres.start(postgres, MonotonicClock.system())) {
                return PostgresBackup.write(server.address(), file, clock);
            } finally {
                lock.get().close();
            }
        } catch (IOException failed) {
            throw new StoreUnavailable("The store in " + dataDir + " cannot be opened (" + failed + ").", failed);
        }
    }

    /**
     * Makes a store from a backup, in a data directory that has none. The files of keys may be there already.
     *
     * @throws StoreUnavailable with a sentence for the operator when there is a store, or the file is damaged; there is no store
     *     then
     */
    public static Backup restore(Path dataDir, Path file, PostgresBackup.Original original) {
        try {
            createDirectory(dataDir);
            Path data = dataDir.toRealPath();
            DataLock lock = DataLock.take(data);
            try {
                return restoreLocked(data, file, original);
            } finally {
                lock.close();
            }
        } catch (IOException failed) {
            throw new StoreUnavailable("The store in " + dataDir + " cannot be made (" + failed + ").", failed);
        }
    }

    private static Backup restoreLocked(Path data, Path file, PostgresBackup.Original original) throws IOException {
        Path postgres = data.resolve("postgres");
        if (Files.exists(postgres.resolve("data"))) {
            throw new StoreUnavailable("There is a store in " + data
                    + " already: restore into another data directory, or move this one away.");
        }
        try (EmbeddedPostgres server = EmbeddedPostgres.start(postgres, MonotonicClock.system())) {
            Backup backup = PostgresBackup.restore(server.address(), file, original);
            String found = Installation.of(data, backup.installation()).id();
            if (!found.equals(backup.installation())) {
                throw new StoreUnavailable(data + " belongs to the installation " + found + ", and the backup to "
                        + backup.installation() + ": restore into another data directory.");
            }
            return backup;
        } catch (RuntimeException failed) {
            Trees.delete(postgres.resolve("data"));
            throw failed;
        }
    }

    private static void requireStore(Path dataDir) {
        if (!Files.isDirectory(dataDir.resolve("postgres"))) {
            throw new StoreUnavailable("There is no store of a node in " + dataDir + ".");
        }
    }

    private static void createDirectory(Path dataDir) throws IOException {
        if (!Files.isDirectory(dataDir)) {
            // Others may traverse but not list it, since the server may run as another user.
            Files.createDirectories(
                    dataDir, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
        }
    }

    private static EmbeddedStore openLocked(Path data, DataLock lock, BlobSweepSettings blobs) throws IOException {
        EmbeddedPostgres server = null;
        try {
            server = EmbeddedPostgres.start(data.resolve("postgres"), MonotonicClock.system());
            // The installation's name may only be created while holding the lock on the data directory.
            String installation = Installation.of(data).id();
            return new EmbeddedStore(lock, server, PostgresStore.openOwn(server.address(), data, installation, blobs));
        } catch (RuntimeException failed) {
            if (server != null) {
                server.close();
            }
            lock.close();
            throw failed;
        }
    }

    @Override
    public String installation() {
        return store.installation();
    }

    @Override
    public Config journalConfig() {
        return store.journalConfig();
    }

    @Override
    public PostgresJournal journal() {
        return store.journal();
    }

    @Override
    public OutputStore output() {
        return store.output();
    }

    @Override
    public RunIndex runs() {
        return store.runs();
    }

    @Override
    public AuditLog audit() {
        return store.audit();
    }

    @Override
    public SecretVault secrets() {
        return store.secrets();
    }

    @Override
    public BlobStore blobs() {
        return store.blobs();
    }

    @Override
    public RunFiles files() {
        return store.files();
    }

    @Override
    public Optional<EndedRuns> endedRuns() {
        return store.endedRuns();
    }

    @Override
    public KeptData keptData() {
        return store.keptData();
    }

    @Override
    public HoldStore holds() {
        return store.holds();
    }

    @Override
    public ClaimedKeys idempotencyKeys() {
        return store.idempotencyKeys();
    }

    @Override
    public TenantStore tenants() {
        return store.tenants();
    }

    @Override
    public NamedSecrets namedSecrets() {
        return store.namedSecrets();
    }

    @Override
    public TokenStore tokens() {
        return store.tokens();
    }

    @Override
    public WebhookStore webhooks() {
        return store.webhooks();
    }

    @Override
    public WebhookSeal webhookSeal() {
        return store.webhookSeal();
    }

    @Override
    public TokenSeal tokenSeal() {
        return store.tokenSeal();
    }

    @Override
    public RememberedRuns rememberedRuns() {
        return store.rememberedRuns();
    }

    @Override
    public Optional<StoreOwnership> clusterHold() {
        return Optional.empty();
    }

    @Override
    public void willBegin(RunId run) {
        store.willBegin(run);
    }

    @Override
    public void know(RunState.Existing run, long seq) {
        store.know(run, seq);
    }

    @Override
    public Duration projectionLag() {
        return store.projectionLag();
    }

    @Override
    public int unreadableRuns() {
        return store.unreadableRuns();
    }

    /** The server's address, for programs of its node's account and root on this machine. */
    public PostgresAddress address() {
        return server.address();
    }

    /** The server's main process, for monitoring. */
    public ProcessHandle serverProcess() {
        return server.process();
    }

    /** Returns when the server is gone. */
    @Override
    public void close() {
        store.close();
        server.close();
        release(lock);
    }

    private static void release(DataLock lock) {
        try {
            lock.close();
        } catch (IOException failed) {
            throw new StoreUnavailable("The lock on the data directory cannot be released.", failed);
        }
    }
}
