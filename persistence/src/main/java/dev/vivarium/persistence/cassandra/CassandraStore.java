package dev.vivarium.persistence.cassandra;

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
import dev.vivarium.persistence.secrets.NamedSecretSeal;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.BlobStore;
import dev.vivarium.persistence.store.ClaimedKeys;
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
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/** The store on a Cassandra cluster shared by all nodes of an installation. */
public final class CassandraStore implements Store {
    private static final Sweeper.Pace RUN_SWEEP =
            new Sweeper.Pace(Duration.ofSeconds(10), Duration.ofMinutes(10), Duration.ofSeconds(10));
    private static final Sweeper.Pace KEY_SWEEP =
            new Sweeper.Pace(Duration.ofSeconds(2), Duration.ofSeconds(60), Duration.ofSeconds(60));

    private final CassandraSettings settings;
    private final String installation;
    private final Cassandra cassandra;
    private final JournalFence fence;
    private final CassandraRunJournal journal;
    private final CassandraOutput output;
    private final CassandraRunIndex runs;
    private final RunIndexTables tables;
    private final ChangedRuns changed;
    private final CassandraAudit auditTables;
    private final AuditLog audit;
    private final JournalFollower<RunView> listing;
    private final LiveRunSweep runSweep;
    private final Sweeper runSweeper;
    private final CassandraSecretVault secrets;
    private final TokenSeal tokenSeal;
    private final WebhookSeal webhookSeal;
    private final Sweeper keySweeper;
    private final NamedSecrets namedSecrets;
    private final Sweeper masterKeySweeper;
    private final BlobStore blobs;
    private final CassandraKeptData keptData;
    private final RunFiles files;
    private final Sweeper blobSweeper;
    private final long number;

    private CassandraStore(
            CassandraSettings settings,
            String installation,
            MasterKeys masters,
            Cassandra cassandra,
            BlobSweepSettings sweep,
            Clock clock,
            Clock monotonic) {
        this.settings = settings;
        this.installation = installation;
        this.cassandra = cassandra;
        this.fence = new JournalFence(cassandra);
        this.journal = new CassandraRunJournal(cassandra, fence, EventCodec.standard());
        this.output = new CassandraOutput(cassandra);
        RunList list = new RunList();
        this.tables = new RunIndexTables(cassandra, list.version());
        this.runs = new CassandraRunIndex(cassandra, tables);
        this.changed = new ChangedRuns(monotonic);
        this.auditTables = new CassandraAudit(cassandra, journal, tables, clock, monotonic);
        this.audit = new AuditLog(auditTables, cassandra::work, monotonic);
        this.listing = new JournalFollower<>(
                list,
                new CassandraRunFeed(cassandra, journal, tables, changed, monotonic),
                EventCodec.standard(),
                monotonic);
        this.runSweep = new LiveRunSweep(journal, tables, changed, list.name(), clock);
        this.runSweeper = new Sweeper(runSweep, RUN_SWEEP, "vivarium-run-sweep");
        this.secrets = new CassandraSecretVault(cassandra, masters, clock);
        this.tokenSeal = new TokenSeal(masters.keys());
        this.webhookSeal = new WebhookSeal(masters.keys());
        this.namedSecrets =
                new NamedSecrets(new CassandraNamedSecrets(cassandra), NamedSecretSeal.of(masters.keys()), clock);
        this.masterKeySweeper = new Sweeper(new MasterKeySweep(namedSecrets), KEY_SWEEP, "vivarium-master-key-sweep");
        CassandraBlobs blobTables = new CassandraBlobs(cassandra);
        this.blobs = new StoredBlobs(blobTables, clock);
        this.keptData = new CassandraKeptData(cassandra, blobTables, clock);
        this.files = new StoredRunFiles(blobs, journal::first);
        this.blobSweeper = new BlobSweep(
                        blobTables, new CassandraBlobLeftovers(cassandra, blobTables), journal, sweep, clock)
                .sweeper();
        this.keySweeper = new Sweeper(
                KeySweep.ofSeveralNodes(new KeyRows(cassandra, secrets), journal, clock),
                KEY_SWEEP,
                "vivarium-key-sweep");
        this.number = OpenStores.add(this);
    }

    /**
     * Opens the store, after {@link #prepare} created its tables. Waits for a cluster that is down.
     *
     * @throws StoreUnavailable with a sentence for the operator when it cannot be opened, or has another schema
     */
    public static CassandraStore open(CassandraSettings settings, BlobSweepSettings blobs) {
        MasterKeys masters = MasterKeys.read(settings.masterKey());
        String installation = CassandraSchema.require(settings, masters, MonotonicClock.system());
        Cassandra cassandra = Cassandra.open(settings);
        CassandraStore store = new CassandraStore(
                settings, installation, masters, cassandra, blobs, Clock.systemUTC(), MonotonicClock.system());
        store.listing.start();
        store.runSweeper.start();
        store.keySweeper.start();
        store.masterKeySweeper.start();
        store.blobSweeper.start();
        return store;
    }

    /**
     * Opens the log of events only, for reading: without the master key, and with a role that may only read.
     *
     * @throws StoreUnavailable with a sentence for the operator when it cannot be opened, or has another schema
     */
    public static StoredLog log(CassandraSettings settings) {
        CassandraSchema.requireTables(settings, MonotonicClock.system());
        Cassandra cassandra = Cassandra.open(settings);
        CassandraRunJournal journal =
                new CassandraRunJournal(cassandra, new JournalFence(cassandra), EventCodec.standard());
        CassandraAudit tables = new CassandraAudit(
                cassandra,
                journal,
                new RunIndexTables(cassandra, new RunList().version()),
                Clock.systemUTC(),
                MonotonicClock.system());
        return new StoredLog(new AuditLog(tables, cassandra::work, MonotonicClock.system()), cassandra::close);
    }

    /** Opens the store with the default sweep of blobs. */
    public static CassandraStore open(CassandraSettings settings) {
        return open(settings, BlobSweepSettings.STANDARD);
    }

    /**
     * Creates the keyspace and its tables, and the master key. Idempotent; when the file begins with a new master key,
     * records that key for the nodes that start from now on.
     *
     * @param installation the installation's name, if it has none yet
     * @return the schema's version
     * @throws StoreUnavailable with a sentence for the operator when that cannot be done
     */
    public static int prepare(CassandraSettings settings, String installation) {
        return CassandraSchema.create(settings, installation, MonotonicClock.system());
    }

    @Override
    public String installation() {
        return installation;
    }

    @Override
    public Config journalConfig() {
        return JournalPlugin.overlay(settings, number);
    }

    @Override
    public CassandraRunJournal journal() {
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
    public KeptData keptData() {
        return keptData;
    }

    @Override
    public HoldStore holds() {
        return new CassandraHolds(cassandra, keptData.turns());
    }

    @Override
    public ClaimedKeys idempotencyKeys() {
        return new CassandraClaimedKeys(cassandra);
    }

    @Override
    public TenantStore tenants() {
        return new CassandraTenants(cassandra);
    }

    @Override
    public TokenStore tokens() {
        return new CassandraTokens(cassandra);
    }

    @Override
    public WebhookStore webhooks() {
        return new CassandraWebhooks(cassandra, Clock.systemUTC());
    }

    @Override
    public WebhookSeal webhookSeal() {
        return webhookSeal;
    }

    @Override
    public TokenSeal tokenSeal() {
        return tokenSeal;
    }

    @Override
    public RememberedRuns rememberedRuns() {
        return new CassandraRememberedRuns(cassandra);
    }

    @Override
    public Optional<StoreOwnership> clusterHold() {
        return Optional.of(new CassandraStoreOwnership(cassandra));
    }

    @Override
    public Duration projectionLag() {
        return listing.lag();
    }

    @Override
    public int unreadableRuns() {
        return listing.unreadable();
    }

    JournalFence fence() {
        return fence;
    }

    RunIndexTables tables() {
        return tables;
    }

    ChangedRuns changed() {
        return changed;
    }

    CassandraAudit auditTables() {
        return auditTables;
    }

    LiveRunSweep runSweep() {
        return runSweep;
    }

    Cassandra cassandra() {
        return cassandra;
    }

    @Override
    public void close() {
        OpenStores.remove(number);
        blobSweeper.close();
        masterKeySweeper.close();
        keySweeper.close();
        runSweeper.close();
        listing.close();
        cassandra.close();
    }
}
