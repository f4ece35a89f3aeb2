package dev.vivarium.node.doubles;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.placement.Capacity;
import dev.vivarium.node.placement.TenantUse;
import dev.vivarium.node.placement.WhenFull;
import dev.vivarium.node.run.Caller;
import dev.vivarium.node.run.CancelAnswer;
import dev.vivarium.node.run.Placed;
import dev.vivarium.node.run.RenewAnswer;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.node.run.Runs;
import dev.vivarium.node.run.SubmitAnswer;
import dev.vivarium.persistence.journal.RecordedEvent;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.ClaimedKeys;
import dev.vivarium.persistence.store.OutputChunk;
import dev.vivarium.persistence.store.OutputStore;
import dev.vivarium.persistence.store.RunIndex;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.api.NodeView;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.api.RunPage;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.ProcessId;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.TimeSpan;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;

/** Runs that a test advances by hand: entity, journal, output, index and keys in one, without a sandbox or a disk. */
public final class InMemoryRuns implements Runs, RunJournal, OutputStore, RunIndex, ClaimedKeys {
    public static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

    private static final String NEXT_PAGE = "next-page";

    /** Newest first, like the list of runs. */
    private final Map<RunId, List<RecordedEvent>> events =
            new TreeMap<>(Comparator.comparing(RunId::value).reversed());

    private final Map<Blob, RunId> claimed = new HashMap<>();
    private final Map<RunId, List<OutputChunk>> output = new HashMap<>();
    private final Set<RunId> deleted = new HashSet<>();
    private final Map<RunId, List<SourceQueueWithComplete<Progress>>> followers = new HashMap<>();
    private Optional<RuntimeException> outage = Optional.empty();
    private Optional<SubmitAnswer> refusal = Optional.empty();
    private Optional<Query> lastQuery = Optional.empty();
    private CompletionStage<Done> way = CompletableFuture.completedStage(Done.getInstance());
    private CompletionStage<Done> wayAfterwards = CompletableFuture.completedStage(Done.getInstance());
    private Optional<RunId> nextName = Optional.empty();
    private Optional<RenewAnswer.Reason> renewalRefusal = Optional.empty();
    private Optional<QuotaExcess> excess = Optional.empty();
    private final Map<Tenant, TenantUse> used = new HashMap<>();
    private final Map<Tenant, TenantUse> reserved = new HashMap<>();
    private int submissions;

    /** Makes every call fail with this from now on. */
    public synchronized void failWith(RuntimeException failure) {
        outage = Optional.of(failure);
    }

    public void goAway() {
        failWith(new StoreUnavailable("The store does not answer.", new IllegalStateException("secret detail")));
    }

    public synchronized void comeBack() {
        outage = Optional.empty();
    }

    @Override
    public List<NodeView> nodes() {
        NodeView.Room room = new NodeView.Room(
                9,
                OptionalLong.of(4096),
                OptionalLong.empty(),
                OptionalLong.of(1000),
                OptionalLong.of(90_000),
                OptionalLong.of(0));
        NodeView.Room taken = new NodeView.Room(
                1,
                OptionalLong.of(1024),
                OptionalLong.of(500),
                OptionalLong.of(950),
                OptionalLong.of(85_000),
                OptionalLong.of(0));
        return List.of(new NodeView(
                "node-1",
                "127.0.0.1:25520",
                NodeView.Intake.OPEN,
                room,
                taken,
                2,
                40,
                7,
                Optional.of(new NodeView.Pool(3, 32, 17, 5))));
    }

    /** Refuses every new run with this from now on. */
    public synchronized void refuseWith(SubmitAnswer reply) {
        refusal = Optional.of(reply);
    }

    public synchronized void refuseNoMore() {
        refusal = Optional.empty();
    }

    /** Every tenant would be over this quota with anything more. */
    public synchronized void exceed(QuotaExcess quota) {
        excess = Optional.of(quota);
    }

    public synchronized void exceedNoMore() {
        excess = Optional.empty();
    }

    /** What a tenant uses from now on. */
    public synchronized void use(Tenant tenant, TenantUse use) {
        used.put(tenant, use);
    }

    @Override
    public synchronized Optional<QuotaExcess> excess(Tenant tenant, TenantUse asked) {
        return excess;
    }

    @Override
    public synchronized Optional<QuotaExcess> reserve(Tenant tenant, TenantUse asked) {
        if (excess.isEmpty()) {
            reserved.merge(tenant, asked, TenantUse::plus);
        }
        return excess;
    }

    @Override
    public synchronized void unreserve(Tenant tenant, TenantUse before) {
        reserved.computeIfPresent(tenant, (of, all) -> all.equals(before) ? null : all.minus(before));
    }

    /** What is reserved for tenants. */
    public synchronized Map<Tenant, TenantUse> reserved() {
        return Map.copyOf(reserved);
    }

    @Override
    public synchronized TenantUse usedBy(Tenant tenant) {
        return used.getOrDefault(tenant, TenantUse.NONE);
    }

    @Override
    public synchronized Set<Tenant> tenants() {
        return Set.copyOf(used.keySet());
    }

    /** Delays the next submission until the gate completes. */
    public synchronized void holdNextSubmission(CompletionStage<Done> gate) {
        way = gate;
    }

    /** Delays every submission from now on until the gate completes. */
    public synchronized void holdSubmissions(CompletionStage<Done> gate) {
        way = gate;
        wayAfterwards = gate;
    }

    public synchronized int submissions() {
        return submissions;
    }

    public synchronized Query lastQuery() {
        return lastQuery.orElseThrow();
    }

    /** The number of current followers of a run. */
    public synchronized int followers(RunId run) {
        return followers.getOrDefault(run, List.of()).size();
    }

    public synchronized RunState.Existing stateOf(RunId run) {
        return (RunState.Existing) fold(run);
    }

    /** Adds an event to the run. */
    public synchronized void happen(RunId run, RunEvent event) {
        fold(run).after(event);
        List<RecordedEvent> history = events.computeIfAbsent(run, any -> new ArrayList<>());
        Blob hash = Blob.of(new byte[32]);
        history.add(new RecordedEvent(run, history.size() + 1L, event, hash, hash));
        tell(run);
    }

    /** Adds output to the run. */
    public void print(RunId run, Stream stream, String text) {
        print(run, stream, text.getBytes(StandardCharsets.UTF_8));
    }

    public synchronized void print(RunId run, Stream stream, byte[] bytes) {
        output.computeIfAbsent(run, any -> new ArrayList<>())
                .add(new OutputChunk(1, ProcessId.COMMAND, stream, outputEnd(run), NOON, Blob.of(bytes)));
        tell(run);
    }

    /** Deletes what the run printed; says whether there was anything. */
    public synchronized boolean deleteOutput(RunId run) {
        deleted.add(run);
        return output.remove(run) != null;
    }

    @Override
    public synchronized CompletionStage<Boolean> isDeleted(RunId run) {
        return CompletableFuture.completedStage(deleted.contains(run));
    }

    /** How much of what the run printed is there. */
    public synchronized long printed(RunId run) {
        return outputEnd(run);
    }

    /** Places every new run under this id from now on. */
    public synchronized void placeAs(RunId id) {
        nextName = Optional.of(id);
    }

    /** Places every new run under an id of its own again. */
    public synchronized void placeFreely() {
        nextName = Optional.empty();
    }

    @Override
    public synchronized Placed place(Capacity needs) {
        return placeNamed(
                nextName.orElseGet(() -> new RunId(UlidCreator.getUlid().toLowerCase())), needs);
    }

    @Override
    public Placed placeNamed(RunId id, Capacity needs) {
        return new Placed.Room(id, Placed.Name.OWN, needs, WhenFull.QUEUE);
    }

    @Override
    public CompletionStage<RunId> claim(Blob key, RunId candidate) {
        return answer(() -> claimed.computeIfAbsent(key, any -> candidate));
    }

    @Override
    public synchronized CompletionStage<SubmitAnswer> submit(
            Placed.Room place, Caller caller, RunSpec spec, Digest submission) {
        CompletionStage<Done> there = way;
        way = wayAfterwards;
        return there.thenCompose(done -> arrived(place.id(), caller, spec, submission));
    }

    private CompletionStage<SubmitAnswer> arrived(RunId id, Caller caller, RunSpec spec, Digest submission) {
        return answer(() -> {
            submissions++;
            if (fold(id) instanceof RunState.Existing existing) {
                return existing.submission().digest().equals(submission)
                        ? new SubmitAnswer.AcceptedBefore(existing)
                        : new SubmitAnswer.OtherSubmission(id);
            }
            if (refusal.isPresent()) {
                return refusal.get();
            }
            happen(
                    id,
                    new RunEvent.RunSubmitted(
                            NOON, "node-1", caller.principal(), id, spec, submission, caller.origin()));
            return new SubmitAnswer.Accepted(stateOf(id));
        });
    }

    @Override
    public CompletionStage<CancelAnswer> cancel(RunId id, Caller caller) {
        return answer(() -> {
            RunState state = fold(id);
            if (state instanceof RunState.Live) {
                happen(id, new RunEvent.CancelRequested(NOON, "node-1", caller.principal(), caller.origin()));
            }
            return fold(id) instanceof RunState.Existing existing
                    ? new CancelAnswer.Noted(existing)
                    : new CancelAnswer.NoSuchRun();
        });
    }

    @Override
    public CompletionStage<RenewAnswer> renew(RunId id, Caller caller, Renewal renewal) {
        return answer(() -> {
            if (!(fold(id) instanceof RunState.Existing run)) {
                return new RenewAnswer.NoSuchRun();
            }
            if (renewalRefusal.isPresent() || run instanceof RunState.Finished) {
                return new RenewAnswer.Refused(renewalRefusal.orElse(RenewAnswer.Reason.ENDED));
            }
            TimeSpan before = run.submission().limitsInForce().get(Limit.WALL_CLOCK);
            if (!before.equals(renewal.wallClock())) {
                happen(
                        id,
                        new RunEvent.DeadlineMoved(
                                NOON,
                                "node-1",
                                caller.principal(),
                                before,
                                renewal.wallClock(),
                                renewal.cpuTimeMax(),
                                caller.origin()));
            }
            return new RenewAnswer.Renewed(stateOf(id));
        });
    }

    /** Refuses every renewal for this reason from now on. */
    public synchronized void refuseRenewals(RenewAnswer.Reason reason) {
        renewalRefusal = Optional.of(reason);
    }

    @Override
    public CompletionStage<Optional<QueueView>> position(RunId id) {
        return CompletableFuture.completedStage(Optional.of(new QueueView(2, 3)));
    }

    @Override
    public Source<Progress, NotUsed> progress(RunId id, Interest interest) {
        return Source.<Progress>queue(1, OverflowStrategy.dropHead()).mapMaterializedValue(queue -> {
            join(id, queue);
            return NotUsed.getInstance();
        });
    }

    private synchronized void join(RunId id, SourceQueueWithComplete<Progress> queue) {
        followers.computeIfAbsent(id, any -> new ArrayList<>()).add(queue);
        queue.watchCompletion().whenComplete((done, failure) -> leave(id, queue));
        tell(id);
    }

    private synchronized void leave(RunId id, SourceQueueWithComplete<Progress> queue) {
        followers.getOrDefault(id, new ArrayList<>()).remove(queue);
    }

    private void tell(RunId run) {
        boolean ended = fold(run) instanceof RunState.Finished;
        Progress progress = new Progress(
                events.getOrDefault(run, List.of()).size(),
                OptionalLong.of(outputEnd(run)),
                ended ? Progress.Life.ENDED : Progress.Life.LIVE);
        for (SourceQueueWithComplete<Progress> queue : List.copyOf(followers.getOrDefault(run, List.of()))) {
            queue.offer(progress);
            if (ended) {
                queue.complete();
            }
        }
    }

    @Override
    public CompletionStage<List<RecordedEvent>> events(RunId run, long fromSeq) {
        return answer(() -> events.getOrDefault(run, List.of()).stream()
                .filter(event -> event.seq() >= fromSeq)
                .toList());
    }

    @Override
    public CompletionStage<RunState> state(RunId run) {
        return answer(() -> fold(run));
    }

    @Override
    public CompletionStage<Long> begin(RunId run, int attempt) {
        throw new UnsupportedOperationException("Only sandboxes begin.");
    }

    @Override
    public CompletionStage<Appended> append(RunId run, List<OutputChunk> chunks) {
        throw new UnsupportedOperationException("Only sandboxes append.");
    }

    @Override
    public CompletionStage<List<OutputChunk>> read(RunId run, long fromOffset, int maxBytes) {
        return answer(() -> {
            List<OutputChunk> page = new ArrayList<>();
            int bytes = 0;
            for (OutputChunk chunk : output.getOrDefault(run, List.of())) {
                if (chunk.offset() + chunk.data().length() > fromOffset) {
                    bytes += chunk.data().length();
                    if (!page.isEmpty() && bytes > maxBytes) {
                        break;
                    }
                    page.add(chunk);
                }
            }
            return page;
        });
    }

    @Override
    public CompletionStage<Long> end(RunId run) {
        return answer(() -> outputEnd(run));
    }

    @Override
    public CompletionStage<RunPage> find(Query query) {
        lastQuery = Optional.of(query);
        if (query.cursor().filter(cursor -> !cursor.equals(NEXT_PAGE)).isPresent()) {
            return CompletableFuture.failedStage(new BadCursor());
        }
        return answer(() -> new RunPage(
                events.keySet().stream()
                        .map(this::stateOf)
                        .map(RunView::of)
                        .limit(query.limit())
                        .toList(),
                Optional.of(NEXT_PAGE)));
    }

    private long outputEnd(RunId run) {
        List<OutputChunk> chunks = output.getOrDefault(run, List.of());
        if (chunks.isEmpty()) {
            return 0;
        }
        OutputChunk last = chunks.get(chunks.size() - 1);
        return last.offset() + last.data().length();
    }

    private RunState fold(RunId run) {
        RunState state = RunState.initial();
        for (RecordedEvent event : events.getOrDefault(run, List.of())) {
            state = state.after(event.event());
        }
        return state;
    }

    private synchronized <T> CompletionStage<T> answer(Supplier<T> answer) {
        return outage.<CompletionStage<T>>map(CompletableFuture::failedStage)
                .orElseGet(() -> CompletableFuture.completedStage(answer.get()));
    }
}
