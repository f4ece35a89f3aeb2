package dev.vivarium.persistence.postgres;

import com.typesafe.config.Config;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.StoredLog;
import dev.vivarium.persistence.content.BlobSweep;
import dev.vivarium.persistence.content.BlobSweepSettings;
import dev.vivarium.persistence.content.StoredBlobs;
import dev.vivarium.persistence.content.StoredRunFiles;
import dev.vivarium.persistence.follow.JournalFollower;
import dev.vivarium.persistence.follow.KeySweep;
import dev.vivarium.persistence.follow.RunList;
import dev.vivarium.persistence.follow.Sweeper;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.persistence.store.EndedRuns;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.MonotonicClock;
import dev.vivarium.persistence.store.OpenStores;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.persistence.store.RunFiles;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The store on a PostgreSQL, wherever it runs, with the keys of secrets in a separate directory. */
public final class PostgresStore implements Store {
    /** How often keys are swept; almost free while no live run has secrets. */
    private static final Sweeper.Pace KEY_SWEEP =
            new Sweeper.Pace(Duration.ZERO, Duration.ofSeconds(15), Duration.ofSeconds(15));

    private final PostgresAddress address;
    private final String installation;
    private final Database database;
    private final PostgresJournal journal;
    private final PostgresOutput output;
    private final PostgresRunIndex runs;
    private final AuditLog audit;
    private final JournalFollower<RunView> listing;
    private final FileSecretVault secrets;
    private final NamedSecrets namedSecrets;
    private final Sweeper keySweeper;
    private final BlobStore blobs;
    private final RunFiles files;
    private final Sweeper blobSweeper;
    private final long number;
    private final KnownRuns known = new KnownRuns();
    private final Beginnings beginnings = new Beginnings(MonotonicClock.system());
    private final Queue<GroupCommit> commits = new ConcurrentLinkedQueue<>();

    private PostgresStore(
            PostgresAddress address,
            String installation,
            Database database,
            Vault vault,
            BlobSweepSettings sweep,
            Clock clock,
            Clock monotonic) {
        this.address = address;
        this.installation = installation;
        this.database = database;
        this.journal = new PostgresJournal(database, EventCodec.standard());
        this.output = new PostgresOutput(database);
        this.runs = new PostgresRunIndex(database);
        this.audit = new AuditLog(new PostgresAudit(database), database::work, monotonic);
        RunList list = new RunList();
        this.listing = new JournalFollower<>(
                list, new PostgresRunFeed(database, journal, list, known, monotonic), EventCodec.standard(), monotonic);
        this.secrets = vault.open(database, clock);
        this.namedSecrets = new NamedSecrets(new PostgresNamedSecrets(database), secrets.namedSecretSeal(), clock);
        PostgresBlobs blobTables = new PostgresBlobs(database);
        this.blobs = new StoredBlobs(blobTables, clock);
        this.files = new StoredRunFiles(blobs, journal::first);
        this.blobSweeper =
                new BlobSweep(blobTables, new PostgresBlobLeftovers(database), journal, sweep, clock).sweeper();
        this.keySweeper = new Sweeper(vault.sweep(secrets, journal, clock), KEY_SWEEP, "vivarium-key-sweep");
        this.number = OpenStores.add(this);
    }

    /** Where the secrets' keys are, and whether other nodes use them. */
    private record Vault(Path folder, Users users) {
        private enum Users {
            THIS_NODE,
            SEVERAL_NODES
        }

        FileSecretVault open(Database database, Clock clock) {
            return users == Users.THIS_NODE
                    ? FileSecretVault.in(folder, database.threads(), clock)
                    : FileSecretVault.shared(folder, database.threads(), clock);
        }

        KeySweep sweep(FileSecretVault vault, PostgresJournal journal, Clock clock) {
            return users == Users.THIS_NODE
                    ? KeySweep.ofOneNode(new FileKeys(vault), journal, clock)
                    : KeySweep.ofSeveralNodes(new FileKeys(vault), journal, clock);
        }
    }

    /**
     * Opens the store of a node with its own server, creating or updating the tables first.
     *
     * @param address the database, used by this node only
     * @param keysParent the parent of the vault's directory
     * @param installation the installation's name, if it has none yet
     * @throws StoreUnavailable with a sentence for the user when it cannot be opened
     */
    public static PostgresStore openOwn(
            PostgresAddress address, Path keysParent, String installation, BlobSweepSettings blobs) {
        Database database = new Database(address);
        try {
            String name = migrated(database, installation);
            return started(address, name, database, new Vault(keysParent, Vault.Users.THIS_NODE), blobs);
        } catch (RuntimeException failed) {
            database.close();
            throw failed;
        }
    }

    /**
     * Opens the store on a server that several nodes may share, after {@link #prepare} created its tables. Waits for a
     * server that is down.
     *
     * @throws StoreUnavailable with a sentence for the operator when it cannot be opened, or has another schema
     */
    public static PostgresStore openShared(PostgresSettings settings, BlobSweepSettings blobs) {
        String installation = ServerWait.on(settings, MonotonicClock.system(), Schema::require);
        Database database = new Database(settings.address());
        try {
            Vault vault = new Vault(settings.keys(), Vault.Users.SEVERAL_NODES);
            return started(settings.address(), installation, database, vault, blobs);
        } catch (RuntimeException failed) {
            database.close();
            throw failed;
        }
    }

    /**
     * Creates or updates the tables on a server that several nodes may share, and creates the folder of keys.
     * Idempotent.
     *
     * @param installation the installation's name, if it has none yet
     * @return the schema's version
     * @throws StoreUnavailable with a sentence for the operator when that cannot be done
     */
    public static int prepare(PostgresSettings settings, String installation) {
        FileSecretVault.prepare(settings.keys());
        return ServerWait.on(settings, MonotonicClock.system(), connection -> {
            Schema.migrate(connection, installation);
            return Schema.VERSION;
        });
    }

    /**
     * Opens the log of events only, for reading; a role that may only read suffices.
     *
     * @throws StoreUnavailable with a sentence for the operator when it cannot be opened, or has another schema
     */
    public static StoredLog log(PostgresSettings settings) {
        ServerWait.on(settings, MonotonicClock.system(), Schema::require);
        return log(settings.address());
    }

    /** Opens the log of events of a server that answers, for reading. */
    public static StoredLog log(PostgresAddress address) {
        Database database = new Database(address);
        return new StoredLog(
                new AuditLog(new PostgresAudit(database), database::work, MonotonicClock.system()), database::close);
    }

    /** Opens the store with the default sweep of blobs. */
    public static PostgresStore openOwn(PostgresAddress address, Path keysParent, String installation) {
        return openOwn(address, keysParent, installation, BlobSweepSettings.STANDARD);
    }

    /** Opens the store with the default sweep of blobs. */
    public static PostgresStore openShared(PostgresSettings settings) {
        return openShared(settings, BlobSweepSettings.STANDARD);
    }

    private static PostgresStore started(
            PostgresAddress address, String installation, Database database, Vault vault, BlobSweepSettings blobs) {
        PostgresStore store = new PostgresStore(
                address, installation, database, vault, blobs, Clock.systemUTC(), MonotonicClock.system());
        store.listing.start();
        store.keySweeper.start();
        store.blobSweeper.start();
        return store;
    }

    private static String migrated(Database database, String installation) {
        try (Connection connection = database.connect()) {
            Schema.migrate(connection, installation);
            return Schema.require(connection);
        } catch (SQLException failed) {
            throw Database.unavailable("be opened", failed);
        }
    }

    @Override
    public String installation() {
        return installation;
    }

    @Override
    public Config journalConfig() {
        return JournalPlugin.overlay(number);
    }

    Beginnings beginnings() {
        return beginnings;
    }

    Database database() {
        return database;
    }

    /** Starts writing the journal for an actor system. Closed with the store, if not before. */
    GroupCommit groupCommit(GroupCommit.Limits limits) {
        GroupCommit commit = GroupCommit.start(() -> JournalConnection.to(address), limits, MonotonicClock.system());
        commits.add(commit);
        return commit;
    }

    @Override
    public PostgresJournal journal() {
        return journal;
    }

    @Override
    public OutputStore output() {
        return output;
    }

    @Override
    public RunIndex runs() {
        return runs;
    }

    @Override
    public AuditLog audit() {
        return audit;
    }

    @Override
    public SecretVault secrets() {
        return secrets;
    }

    @Override
    public NamedSecrets namedSecrets() {
        return namedSecrets;
    }

    @Override
    public BlobStore blobs() {
        return blobs;
    }

    @Override
    public RunFiles files() {
        return files;
    }

    @Override
    public Optional<EndedRuns> endedRuns() {
        return Optional.of(new PostgresEndedRuns(database));
    }

    @Override
    public KeptData keptData() {
        return new PostgresKeptData(database);
    }

    @Override
    public HoldStore holds() {
        return new PostgresHolds(database);
    }

    @Override
    public ClaimedKeys idempotencyKeys() {
        return new PostgresClaimedKeys(database);
    }

    @Override
    public TenantStore tenants() {
        return new PostgresTenants(database);
    }

    @Override
    public TokenStore tokens() {
        return new PostgresTokens(database);
    }

    @Override
    public WebhookStore webhooks() {
        return new PostgresWebhooks(database);
    }

    @Override
    public WebhookSeal webhookSeal() {
        return secrets.webhookSeal();
    }

    @Override
    public TokenSeal tokenSeal() {
        return secrets.tokenSeal();
    }

    @Override
    public RememberedRuns rememberedRuns() {
        return new PostgresRememberedRuns(database);
    }

    @Override
    public Optional<StoreOwnership> clusterHold() {
        return Optional.of(new PostgresStoreOwnership(database));
    }

    @Override
    public void willBegin(RunId run) {
        beginnings.add(run);
    }

    @Override
    public void know(RunState.Existing run, long seq) {
        known.know(run, seq);
    }

    @Override
    public Duration projectionLag() {
        return listing.lag();
    }

    @Override
    public int unreadableRuns() {
        return listing.unreadable();
    }

    @Override
    public void close() {
        OpenStores.remove(number);
        commits.forEach(GroupCommit::close);
        blobSweeper.close();
        keySweeper.close();
        listing.close();
        database.close();
    }
}
