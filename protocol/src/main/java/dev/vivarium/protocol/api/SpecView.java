package dev.vivarium.protocol.api;

import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run was asked to be, as the API shows it: the submission's own shape, with every default filled in, the names
 * of the secrets in place of the secrets, and what is known of each file in place of its content.
 */
public record SpecView(
        String image,
        List<String> command,
        Map<String, String> env,
        List<String> secrets,
        String workdir,
        Map<String, FileRef> files,
        Limits limits,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels) {

    /** The view of a spec. */
    public static SpecView of(RunSpec spec) {
        return new SpecView(
                spec.image(),
                spec.command(),
                new TreeMap<>(spec.env()),
                spec.secrets().names(),
                spec.workdir(),
                new TreeMap<>(spec.files()),
                spec.limits(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                new TreeMap<>(spec.labels()));
    }
}
