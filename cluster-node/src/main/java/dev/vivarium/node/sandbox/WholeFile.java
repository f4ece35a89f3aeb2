package dev.vivarium.node.sandbox;

import dev.vivarium.node.archive.UnpackStep;
import dev.vivarium.protocol.run.FileRef;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Turns a file of a spec into the steps that write it. */
final class WholeFile {
    private WholeFile() {}

    /** The stored content is shorter than the spec says. */
    static final class CutShort extends RuntimeException {
        private static final long serialVersionUID = 1L;

        CutShort(long bytes, long expected) {
            super("has " + bytes + " bytes instead of " + expected, null, false, false);
        }
    }

    /** The parts of the file; an empty file is not read from the store. */
    static Source<UnpackStep, NotUsed> steps(Source<ByteString, NotUsed> content, String path, FileRef file) {
        if (file.size() == 0) {
            return Source.single(part(path, file, 0, ByteString.emptyByteString()));
        }
        return content.map(Optional::of)
                .concat(Source.single(Optional.<ByteString>empty()))
                .statefulMap(
                        () -> 0L,
                        (offset, more) -> Pair.create(
                                offset + more.map(ByteString::size).orElse(0), next(path, file, offset, more)),
                        offset -> Optional.empty())
                .mapConcat(step -> step.map(List::of).orElse(List.of()));
    }

    private static Optional<UnpackStep> next(String path, FileRef file, long offset, Optional<ByteString> more) {
        if (more.isEmpty() && offset != file.size()) {
            throw new CutShort(offset, file.size());
        }
        return more.map(bytes -> part(path, file, offset, bytes));
    }

    private static UnpackStep part(String path, FileRef file, long offset, ByteString bytes) {
        return UnpackStep.Part.of(path, file.mode(), file.size(), offset, bytes);
    }
}
