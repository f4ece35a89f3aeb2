package dev.vivarium.protocol.api;

import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run was asked to be, as the API shows it: the submission's own shape, with every default filled in, the names
 * of the secrets in place of the secrets, and the size in bytes of each file in place of the file.
 */
public record SpecView(
        String image,
        List<String> command,
        Map<String, String> env,
        List<String> secrets,
        String workdir,
        Map<String, Integer> files,
        Limits limits,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels) {

    /** The view of a spec. */
    public static SpecView of(RunSpec spec) {
        Map<String, Integer> fileBytes = new TreeMap<>();
        spec.files().forEach((path, content) -> fileBytes.put(path, content.length()));
        return new SpecView(
                spec.image(),
                spec.command(),
                new TreeMap<>(spec.env()),
                spec.secrets().names(),
                spec.workdir(),
                fileBytes,
                spec.limits(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                new TreeMap<>(spec.labels()));
    }
}
