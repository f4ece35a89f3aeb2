package dev.vivarium.node.archive;

import java.util.List;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.ZipException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Compression;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** An archive as a stream of the steps that unpack it. */
public final class Unpacking {
    private static final int PIECE_BYTES_MAX = 64 << 10;
    private static final int GZIP_MAGIC_0 = 0x1f;
    private static final int GZIP_MAGIC_1 = 0x8b;

    private Unpacking() {}

    /**
     * The steps, as the archive arrives; the last is {@link UnpackStep.Unpacked}. Fails with {@link BadArchive}, or with the
     * failure of the archive's stream.
     *
     * @param archive a tar, plain or in gzip
     * @param folder the absolute path of the folder to unpack into
     * @param root the writable folder that contains it
     */
    public static Source<UnpackStep, NotUsed> of(
            Source<ByteString, NotUsed> archive, String folder, String root, UnpackRoom room) {
        return archive.prefixAndTail(1)
                .flatMapConcat(begun -> tar(begun.first(), begun.second()))
                .map(Optional::of)
                .concat(Source.single(Optional.<ByteString>empty()))
                .statefulMap(
                        () -> new Unpacker(folder, root, room),
                        (unpacker, more) -> Pair.create(unpacker, steps(unpacker, more)),
                        unpacker -> Optional.empty())
                .mapConcat(steps -> steps)
                .takeWhile(step -> !(step instanceof UnpackStep.Unpacked), true);
    }

    private static List<UnpackStep> steps(Unpacker unpacker, Optional<ByteString> more) {
        if (more.isPresent()) {
            return unpacker.add(more.get());
        }
        unpacker.end();
        return List.of();
    }

    private static Source<ByteString, NotUsed> tar(List<ByteString> begun, Source<ByteString, NotUsed> rest) {
        Source<ByteString, NotUsed> all = Source.from(begun).concat(rest);
        if (begun.isEmpty() || !isGzip(begun.get(0))) {
            return all;
        }
        return all.via(Compression.gzipDecompress(PIECE_BYTES_MAX))
                .mapError(ZipException.class, Unpacking::damaged)
                .mapError(DataFormatException.class, Unpacking::damaged);
    }

    private static boolean isGzip(ByteString begun) {
        return begun.size() >= 2
                && Byte.toUnsignedInt(begun.apply(0)) == GZIP_MAGIC_0
                && Byte.toUnsignedInt(begun.apply(1)) == GZIP_MAGIC_1;
    }

    private static BadArchive damaged(Throwable why) {
        return new BadArchive("its gzip is damaged or cut off (" + why.getMessage() + ")");
    }
}
