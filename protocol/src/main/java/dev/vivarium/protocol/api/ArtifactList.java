package dev.vivarium.protocol.api;

import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.RunId;
import java.util.List;

/**
 * The files that were kept of a run; none before its end.
 *
 * @param run the run
 * @param artifacts the files, by path
 * @param leftOut how many were not kept
 * @param examples some of those, with the cause
 */
public record ArtifactList(RunId run, List<Artifact> artifacts, long leftOut, List<LeftOut> examples) {}
