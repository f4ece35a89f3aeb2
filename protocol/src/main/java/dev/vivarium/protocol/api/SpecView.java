package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.Webhook;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A run's specification as the API shows it: the shape of a submission, with defaults filled in, names instead of
 * secrets, and metadata instead of file contents.
 */
public record SpecView(
        String image,
        List<String> command,
        Map<String, String> env,
        List<String> secrets,
        @JsonSetter(nulls = Nulls.AS_EMPTY) Map<String, SecretName> namedSecrets,
        String workdir,
        Map<String, FileRef> files,
        List<String> artifacts,
        Limits limits,
        Optional<Warning> warning,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels,
        Optional<Webhook> webhook) {

    /** The view of a spec. */
    public static SpecView of(RunSpec spec) {
        return new SpecView(
                spec.image(),
                spec.command(),
                new TreeMap<>(spec.env()),
                spec.secrets().names(),
                new TreeMap<>(spec.namedSecrets()),
                spec.workdir(),
                new TreeMap<>(spec.files()),
                spec.artifacts(),
                spec.limits(),
                spec.warning(),
                spec.egress(),
                spec.isolation(),
                spec.onNodeLoss(),
                spec.maxAttempts(),
                new TreeMap<>(spec.labels()),
                spec.webhook());
    }
}
