package dev.vivarium.node.sandbox;

import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.LeftOut;
import java.util.List;

/**
 * The outcome for the files that a run requested.
 *
 * @param files the kept files, by path
 * @param leftOut the number of files left out
 * @param examples some of those left out
 */
public record KeptArtifacts(List<Artifact> files, long leftOut, List<LeftOut> examples) {
    public KeptArtifacts {
        files = List.copyOf(files);
        examples = List.copyOf(examples);
    }
}
