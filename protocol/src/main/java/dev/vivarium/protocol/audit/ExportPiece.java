package dev.vivarium.protocol.audit;

import dev.vivarium.protocol.api.ExportLine;
import java.util.Optional;

/** Lines of an export that follow each other, as far as they can be understood without those before. */
public sealed interface ExportPiece permits HashedEvents, ExportPiece.Line {
    /** A line of any kind; empty for one that is none. */
    record Line(Optional<ExportLine> line) implements ExportPiece {}
}
