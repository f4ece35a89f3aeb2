package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.doubles.InMemoryBlobs;
import dev.vivarium.node.doubles.InMemoryNamedSecrets;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RememberedRuns;
import dev.vivarium.persistence.store.RunFiles;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.persistence.store.Store;
import dev.vivarium.persistence.store.StoreOwnership;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TokenStore;
import dev.vivarium.persistence.store.WebhookStore;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;

/** A store for tests of actors: it keeps output in a list, and can be unavailable. The real stores have contract tests. */
public final class MemoryStore implements Store, OutputStore, SecretVault, RememberedRuns {
    private final InMemoryNamedSecrets namedSecrets = new InMemoryNamedSecrets();

    private final List<OutputChunk> chunks = new CopyOnWriteArrayList<>();
    private final List<RunId> shredded = new CopyOnWriteArrayList<>();
    private final InMemoryBlobs blobs = new InMemoryBlobs();
    private final AtomicInteger appendsToFail = new AtomicInteger();

    private final Set<RunId> remembered = ConcurrentHashMap.newKeySet();
    private volatile Appended fence = Appended.WHOLE;
    private volatile Map<String, String> secrets = Map.of();
    private volatile Changes changes = Changes.APART;
    private volatile CompletionStage<Done> memoryGate = CompletableFuture.completedStage(Done.getInstance());
    private volatile CompletionStage<Done> endGate = CompletableFuture.completedStage(Done.getInstance());

    /** A store that has the file of {@link Specs#withFile}. */
    public MemoryStore() {
        blobs.write(Tenant.DEFAULT, Specs.AGENT);
    }

    /** Sets the secrets that opening returns from now on. */
    public void haveSecrets(Map<String, String> opened) {
        secrets = Map.copyOf(opened);
    }

    public void failNextAppends(int count) {
        appendsToFail.set(count);
    }

    /** Claims to change its memory of live runs with their events, which nothing does for it. */
    public void changeMemoryWithEvents() {
        changes = Changes.WITH_EVENTS;
    }

    /** Drops all output from now on, as if a later attempt had begun. */
    public void fence() {
        fence = Appended.IN_PART;
    }

    /** Delays answers to {@link #end} until the gate completes. */
    public void holdEnd(CompletionStage<Done> gate) {
        endGate = gate;
    }

    /** Delays remembering and forgetting until the gate completes; they fail if it fails. */
    public void holdMemory(CompletionStage<Done> gate) {
        memoryGate = gate;
    }

    public Set<RunId> remembered() {
        return Set.copyOf(remembered);
    }

    public List<RunId> shredded() {
        return shredded;
    }

    public String printed() {
        StringBuilder text = new StringBuilder();
        chunks.forEach(chunk -> text.append(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8)));
        return text.toString();
    }

    @Override
    public CompletionStage<Long> begin(RunId run, int attempt) {
        return end(run);
    }

    @Override
    public CompletionStage<Appended> append(RunId run, List<OutputChunk> added) {
        if (appendsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            return CompletableFuture.failedStage(new StoreUnavailable("away", new IllegalStateException("away")));
        }
        if (fence == Appended.WHOLE) {
            chunks.addAll(added);
        }
        return CompletableFuture.completedStage(fence);
    }

    @Override
    public CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes) {
        return CompletableFuture.completedStage(
                chunks.stream().filter(chunk -> chunk.offset() >= fromOffset).toList());
    }

    @Override
    public CompletionStage<Boolean> isDeleted(RunId run) {
        return CompletableFuture.completedStage(false);
    }

    @Override
    public CompletionStage<Long> end(RunId run) {
        return endGate.thenApply(open -> chunks.stream()
                .mapToLong(chunk -> chunk.offset() + chunk.data().length())
                .max()
                .orElse(0));
    }

    @Override
    public CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets) {
        return CompletableFuture.completedStage(SealedSecrets.NONE);
    }

    @Override
    public CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed) {
        return CompletableFuture.completedStage(secrets);
    }

    @Override
    public CompletionStage<Done> shred(RunId run) {
        shredded.add(run);
        return CompletableFuture.completedStage(Done.getInstance());
    }

    @Override
    public String installation() {
        return "01k0memorymemorymemorymemo";
    }

    @Override
    public Config journalConfig() {
        return ConfigFactory.empty();
    }

    @Override
    public Duration projectionLag() {
        return Duration.ZERO;
    }

    @Override
    public int unreadableRuns() {
        return 0;
    }

    @Override
    public void close() {}

    @Override
    public RunJournal journal() {
        throw new UnsupportedOperationException("No actor reads the journal through the store.");
    }

    @Override
    public OutputStore output() {
        return this;
    }

    @Override
    public AuditLog audit() {
        throw new UnsupportedOperationException();
    }

    @Override
    public RunIndex runs() {
        throw new UnsupportedOperationException("No actor reads the index.");
    }

    @Override
    public InMemoryBlobs blobs() {
        return blobs;
    }

    @Override
    public RunFiles files() {
        return blobs.files();
    }

    @Override
    public TenantStore tenants() {
        throw new UnsupportedOperationException("Sandboxes know no quotas.");
    }

    @Override
    public TokenStore tokens() {
        throw new UnsupportedOperationException("Sandboxes ask for no token.");
    }

    @Override
    public WebhookStore webhooks() {
        throw new UnsupportedOperationException("Sandboxes send nothing.");
    }

    @Override
    public WebhookSeal webhookSeal() {
        throw new UnsupportedOperationException("Sandboxes sign nothing.");
    }

    @Override
    public TokenSeal tokenSeal() {
        throw new UnsupportedOperationException("Sandboxes ask for no token.");
    }

    @Override
    public KeptData keptData() {
        throw new UnsupportedOperationException("Sandboxes end before anything is deleted.");
    }

    @Override
    public HoldStore holds() {
        throw new UnsupportedOperationException("Sandboxes end before anything is held.");
    }

    @Override
    public ClaimedKeys idempotencyKeys() {
        throw new UnsupportedOperationException("Sandboxes claim no keys.");
    }

    @Override
    public RememberedRuns rememberedRuns() {
        return this;
    }

    @Override
    public Optional<StoreOwnership> clusterHold() {
        return Optional.empty();
    }

    @Override
    public Changes changes() {
        return changes;
    }

    @Override
    public CompletionStage<Done> remember(String shard, RunId run) {
        return memoryGate.thenApply(open -> {
            remembered.add(run);
            return open;
        });
    }

    @Override
    public CompletionStage<Done> forget(String shard, RunId run) {
        return memoryGate.thenApply(open -> {
            remembered.remove(run);
            return open;
        });
    }

    @Override
    public CompletionStage<Set<RunId>> in(String shard) {
        return CompletableFuture.completedStage(remembered());
    }

    @Override
    public CompletionStage<Set<String>> shards() {
        throw new UnsupportedOperationException("There is one shard here, and no coordinator.");
    }

    /** The secrets of tenants, for tests that put some. */
    public InMemoryNamedSecrets tenantsSecrets() {
        return namedSecrets;
    }

    @Override
    public NamedSecrets namedSecrets() {
        return namedSecrets.secrets();
    }

    @Override
    public SecretVault secrets() {
        return this;
    }
}
