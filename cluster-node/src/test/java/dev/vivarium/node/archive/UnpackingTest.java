package dev.vivarium.node.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.FileMode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Unpacking of archives that are streamed from a store. */
class UnpackingTest {
    private static final ActorTestKit ACTORS = ActorTestKit.create();
    private static final UnpackRoom ROOM = new UnpackRoom(1 << 20, 100);

    @AfterAll
    static void stop() {
        ACTORS.shutdownTestKit();
    }

    @Test
    void aTarIsUnpackedPlainAndInGzip() throws IOException {
        ByteString tar = new RawTar().file("f", "content").closed();
        UnpackStep part = new UnpackStep.Part("/workspace/f", FileMode.PLAIN, 0, ByteString.fromString("content"));

        assertThat(unpack(inPieces(tar))).contains(part).hasSize(2);
        assertThat(unpack(Source.single(gzip(tar)))).contains(part).hasSize(2);
    }

    @Test
    void anOversizedEntryIsRefusedBeforeItsContentIsRead() throws IOException {
        ByteString bomb = gzip(
                TarWriter.file("zeros", FileMode.PLAIN, 1L << 40, 0).concat(ByteString.fromArray(new byte[1 << 20])));
        Source<ByteString, NotUsed> endless = Source.single(bomb).concat(Source.never());

        assertThatThrownBy(() -> unpack(endless))
                .hasMessageContaining("'zeros' has 1099511627776 bytes, and limits.disk leaves room for 1048576");
    }

    @Test
    void nothingIsReadBehindTheEnd() throws IOException {
        Source<ByteString, NotUsed> endless =
                Source.single(new RawTar().file("f", "x").closed()).concat(Source.never());

        assertThat(unpack(endless)).hasSize(2);
    }

    @Test
    void aGzipThatIsCutOffOrDamagedIsRefusedWithASentence() throws IOException {
        ByteString whole = gzip(new RawTar().file("f", "content".repeat(1000)).closed());
        byte[] damaged = whole.toArray();
        damaged[20] ^= 0x55;

        assertThatThrownBy(() -> unpack(Source.single(whole.take(whole.size() / 2))))
                .isInstanceOf(BadArchive.class)
                .hasMessageContaining("gzip is damaged or cut off");
        assertThatThrownBy(() -> unpack(Source.single(ByteString.fromArray(damaged))))
                .isInstanceOf(BadArchive.class);
        assertThatThrownBy(() -> unpack(Source.single(ByteString.fromArray(new byte[] {0x1f, (byte) 0x8b}))))
                .isInstanceOf(BadArchive.class);
    }

    @Test
    void anUnavailableStoreIsNotReportedAsADamagedArchive() {
        ByteString begun = new RawTar().file("f", "content").closed().take(600);

        assertThatThrownBy(() -> unpack(Source.single(begun)
                        .concat(Source.failed(new StoreUnavailable("The store is away.", new IOException())))))
                .isInstanceOf(StoreUnavailable.class);
    }

    private static Source<ByteString, NotUsed> inPieces(ByteString bytes) {
        return Source.from(List.of(bytes.take(1), bytes.drop(1).take(700), bytes.drop(701)));
    }

    private static ByteString gzip(ByteString bytes) throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write(bytes.toArray());
        }
        return ByteString.fromArray(zipped.toByteArray());
    }

    private static List<UnpackStep> unpack(Source<ByteString, NotUsed> archive) {
        try {
            return Unpacking.of(archive, "/workspace", "/workspace", ROOM)
                    .runWith(Sink.seq(), ACTORS.system())
                    .toCompletableFuture()
                    .orTimeout(20, TimeUnit.SECONDS)
                    .join();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
        }
    }
}
