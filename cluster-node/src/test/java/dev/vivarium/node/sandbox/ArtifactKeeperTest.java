package dev.vivarium.node.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.doubles.InMemoryBlobs;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.GuestFrame.Entry;
import dev.vivarium.protocol.guest.GuestFrame.EntryKind;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.LeftOut.Cause;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunSpec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.stream.Materializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Which files of a workspace are kept, with a guest that answers as the test scripts it. */
class ArtifactKeeperTest {
    private static final ActorTestKit ACTORS = ActorTestKit.create();
    private static final RunId RUN = new RunId("01jd4h5s2m8x7k9q3v6w0t1y2z");
    private static final byte[] LARGE = new byte[3 * GuestCodec.READ_LIMIT_BYTES + 17];

    private final InMemoryBlobs blobs = new InMemoryBlobs();
    private final Map<String, byte[]> contents = new TreeMap<>();
    private final Map<String, EntryKind> others = new TreeMap<>();
    private final List<NodeFrame> asked = new CopyOnWriteArrayList<>();
    private final GuestFiles files = new GuestFiles(this::answer, 1000);
    private int namesAPart = 1000;
    private volatile Runnable onRead = () -> {};
    private Duration patience = Duration.ofMinutes(1);

    @AfterAll
    static void stop() {
        ACTORS.shutdownTestKit();
    }

    @Test
    void filesAreKeptByPathsFoldersAndPatterns() {
        put("a.txt", "1");
        put("out/b.csv", "22");
        put("out/c.log", "333");
        put("deep/er/d.csv", "4444");
        put("unasked/e", "5");

        KeptArtifacts kept = keep("a.txt", "out/*.csv", "deep");

        assertThat(kept.files()).extracting(Artifact::path).containsExactly("a.txt", "deep/er/d.csv", "out/b.csv");
        assertThat(kept.files().get(2))
                .matches(file -> file.size() == 2 && file.digest().equals(digest("22")));
        assertThat(kept.leftOut()).isZero();
        assertThat(blobs.heldBy(RUN)).containsExactlyInAnyOrder(digest("1"), digest("22"), digest("4444"));
        assertThat(asked)
                .noneMatch(frame -> frame instanceof NodeFrame.ListFolder folder
                        && folder.path().contains("unasked"));
    }

    @Test
    void aLargeFileIsReadInParts() {
        contents.put("large", LARGE);

        assertThat(keep("*").files()).extracting(Artifact::digest).containsExactly(Digest.of(LARGE));
    }

    @Test
    void aFileThatChangesWhileItIsReadIsSkipped() {
        contents.put("grows", LARGE);
        onRead = () -> contents.computeIfPresent("grows", (path, before) -> Arrays.copyOf(before, before.length + 1));
        assertThat(keep("grows").examples()).containsExactly(new LeftOut("grows", Cause.CHANGED));

        contents.clear();
        contents.put("changes", LARGE.clone());
        onRead = () -> contents.get("changes")[5]++;
        assertThat(keep("changes").examples()).containsExactly(new LeftOut("changes", Cause.CHANGED));
    }

    @Test
    void pathsThatAreNotFilesAreReportedWithTheCause() {
        put("out/f", "1");
        others.put("out/l", EntryKind.LINK);
        others.put("out/p", EntryKind.OTHER);
        others.put("straight", EntryKind.LINK);

        KeptArtifacts kept = keep("out", "straight", "missing", "no/*");

        assertThat(kept.files()).hasSize(1);
        assertThat(kept.examples())
                .containsExactlyInAnyOrder(
                        new LeftOut("out/l", Cause.LINK),
                        new LeftOut("out/p", Cause.NO_FILE),
                        new LeftOut("straight", Cause.LINK),
                        new LeftOut("missing", Cause.MISSING),
                        new LeftOut("no", Cause.MISSING));
    }

    @Test
    void whatTwoPatternsNameIsLeftOutOnce() {
        others.put("link", EntryKind.LINK);
        others.put("pipe", EntryKind.OTHER);

        KeptArtifacts kept = keep("pipe", "*", "link");

        assertThat(kept.leftOut()).isEqualTo(2);
        assertThat(kept.examples()).extracting(LeftOut::path).containsExactlyInAnyOrder("link", "pipe");
    }

    @Test
    void filesBeyondTheLimitAreSkippedAndSmallerOnesAreStillKept() {
        put("a", "x".repeat(60));
        put("b", "x".repeat(50));
        put("c", "x".repeat(40));

        KeptArtifacts kept = keepAtMost(100, "*");

        assertThat(kept.files()).extracting(Artifact::path).containsExactly("a", "c");
        assertThat(kept.examples()).containsExactly(new LeftOut("b", Cause.TOO_LARGE));
    }

    @Test
    void atMostAThousandFilesAreReadAndKept() {
        for (int file = 0; file < 5_000; file++) {
            put("f" + file, "x");
        }

        KeptArtifacts kept = keep("f*");

        assertThat(kept.files()).hasSize(Artifact.FILES_MAX);
        assertThat(kept.leftOut()).isEqualTo(4_000);
        assertThat(kept.examples()).hasSize(LeftOut.NAMED_MAX);
        assertThat(asked.stream().filter(NodeFrame.ReadFile.class::isInstance)).hasSize(Artifact.FILES_MAX);
    }

    @Test
    void theNumberOfListedNamesIsLimited() {
        namesAPart = 50_000;
        for (int file = 0; file < ArtifactSearch.NAMES_MAX + 10; file++) {
            contents.put("n" + file, new byte[0]);
        }

        KeptArtifacts kept = keep("*.csv");

        assertThat(kept.examples()).containsExactly(new LeftOut(".", Cause.NOT_LOOKED_AT));
    }

    @Test
    void filesKeptBeforeTheGuestEndedRemainKept() {
        put("a", "1");
        put("b", "2");
        onRead = () -> {
            if (asked.stream().filter(NodeFrame.ReadFile.class::isInstance).count() == 2) {
                files.close(Cause.SANDBOX_GONE);
            }
        };

        KeptArtifacts kept = keep("*");

        assertThat(kept.files()).extracting(Artifact::path).containsExactly("a");
        assertThat(kept.examples()).containsExactly(new LeftOut("b", Cause.SANDBOX_GONE));
    }

    @Test
    void filesAreKeptWhenTheStoreIsAwayForAWhile() {
        put("a", "1");
        contents.put("large", LARGE);
        blobs.goAway();

        CompletableFuture<KeptArtifacts> keeping = keeping(1 << 20, "*");
        await().until(() -> blobs.refused() >= 3);
        assertThat(keeping).isNotDone();
        blobs.comeBack();

        assertThat(keeping.orTimeout(20, TimeUnit.SECONDS).join().files())
                .extracting(Artifact::path)
                .containsExactly("a", "large");
        assertThat(blobs.heldBy(RUN)).containsExactlyInAnyOrder(digest("1"), Digest.of(LARGE));
    }

    @Test
    void anUploadThatTheStoreBrokeOffIsBegunAgain() {
        contents.put("large", LARGE);
        onRead = () -> {
            if (asked.size() == 7) {
                blobs.goAway();
            }
        };

        CompletableFuture<KeptArtifacts> keeping = keeping(1 << 20, "large");
        await().until(() -> blobs.refused() >= 1);
        onRead = () -> {};
        blobs.comeBack();

        assertThat(keeping.orTimeout(20, TimeUnit.SECONDS).join().files())
                .extracting(Artifact::digest)
                .containsExactly(Digest.of(LARGE));
    }

    @Test
    void filesOfASandboxThatEndsWhileTheStoreIsAwayAreNotStored() {
        put("a", "1");
        put("b", "2");
        blobs.goAway();

        CompletableFuture<KeptArtifacts> keeping = keeping(1 << 20, "*");
        await().until(() -> blobs.refused() >= 2);
        files.close(Cause.OUT_OF_TIME);

        assertThat(keeping.orTimeout(20, TimeUnit.SECONDS).join().examples())
                .containsExactly(new LeftOut("a", Cause.NOT_STORED), new LeftOut("b", Cause.NOT_STORED));
    }

    @Test
    void filesStoredBeforeTheStoreWentAwayAreHeldWhenItIsBack() {
        put("a", "1");
        blobs.goAwayAfterWriting();

        CompletableFuture<KeptArtifacts> keeping = keeping(1 << 20, "a");
        await().until(() -> blobs.refused() >= 2);
        files.close(Cause.SANDBOX_GONE);
        blobs.comeBack();

        assertThat(keeping.orTimeout(20, TimeUnit.SECONDS).join().files()).hasSize(1);
        assertThat(blobs.heldBy(RUN)).containsExactly(digest("1"));
    }

    @Test
    void whenTheStoreIsUnavailableNothingIsKeptAndTheReasonIsReported() {
        put("a", "1");
        blobs.goAway();
        patience = Duration.ZERO;

        KeptArtifacts kept = keep("a");

        assertThat(kept.files()).isEmpty();
        assertThat(kept.examples()).containsExactly(new LeftOut("a", Cause.NOT_STORED));
    }

    @Test
    void aFileMatchedByTwoPatternsIsKeptOnce() {
        put("out/a", "1");

        assertThat(keep("out/a", "out/*", "**").files()).hasSize(1);
    }

    // ---- the guest

    private void put(String path, String content) {
        contents.put(path, content.getBytes(StandardCharsets.UTF_8));
    }

    private static Digest digest(String content) {
        return Digest.of(content.getBytes(StandardCharsets.UTF_8));
    }

    private void answer(NodeFrame frame) {
        asked.add(frame);
        if (frame instanceof NodeFrame.ReadFile read) {
            onRead.run();
            files.heard(read(read, read.path().substring("/workspace/".length())));
        } else if (frame instanceof NodeFrame.ListFolder list) {
            files.heard(list(list, list.path().substring("/workspace".length())));
        }
    }

    private GuestFrame read(NodeFrame.ReadFile read, String path) {
        byte[] content = contents.get(path);
        if (content == null) {
            boolean isFolder = contents.keySet().stream().anyMatch(file -> file.startsWith(path + "/"));
            int errno = others.get(path) == EntryKind.LINK ? Errno.ELOOP : isFolder ? Errno.EISDIR : Errno.ENOENT;
            return new GuestFrame.FileRead(read.request(), errno, 0, 0, Blob.EMPTY);
        }
        int from = (int) Math.min(read.offset(), content.length);
        int to = Math.min(from + read.bytes(), content.length);
        return new GuestFrame.FileRead(
                read.request(), 0, 0644, content.length, Blob.of(Arrays.copyOfRange(content, from, to)));
    }

    private GuestFrame list(NodeFrame.ListFolder list, String path) {
        String prefix = path.isEmpty() ? "" : path.substring(1) + "/";
        Map<String, EntryKind> names = new TreeMap<>();
        contents.keySet().forEach(file -> add(names, prefix, file, EntryKind.FILE));
        others.forEach((file, kind) -> add(names, prefix, file, kind));
        if (names.isEmpty()) {
            return new GuestFrame.FolderListed(list.request(), Errno.ENOENT, OptionalLong.empty(), List.of());
        }
        List<Entry> part = names.entrySet().stream()
                .skip(list.place())
                .limit(namesAPart)
                .map(name -> new Entry(name.getValue(), Blob.ofUtf8(name.getKey())))
                .toList();
        long next = list.place() + part.size();
        return new GuestFrame.FolderListed(
                list.request(), 0, next < names.size() ? OptionalLong.of(next) : OptionalLong.empty(), part);
    }

    private static void add(Map<String, EntryKind> names, String prefix, String path, EntryKind kind) {
        if (path.startsWith(prefix)) {
            String rest = path.substring(prefix.length());
            int slash = rest.indexOf('/');
            names.put(slash < 0 ? rest : rest.substring(0, slash), slash < 0 ? kind : EntryKind.FOLDER);
        }
    }

    private KeptArtifacts keep(String... patterns) {
        return keepAtMost(1 << 20, patterns);
    }

    private KeptArtifacts keepAtMost(long bytes, String... patterns) {
        return keeping(bytes, patterns).orTimeout(20, TimeUnit.SECONDS).join();
    }

    private CompletableFuture<KeptArtifacts> keeping(long bytes, String... patterns) {
        RunSpec spec = Specs.keeping(new ByteSize(bytes), patterns);
        StoreRetry retry = new StoreRetry(ACTORS.system(), new SetClock(), Duration.ofMillis(1), patience);
        return new ArtifactKeeper(blobs, RUN, spec, files, retry, Materializer.matFromSystem(ACTORS.system()))
                .keepAll()
                .toCompletableFuture();
    }
}
