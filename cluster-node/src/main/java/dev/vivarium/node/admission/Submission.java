package dev.vivarium.node.admission;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a client asked for, checked field by field, with every default filled in and every ceiling kept. It differs from
 * a {@link RunSpec} in its secrets, which are still in clear here.
 *
 * @param bodyDigest SHA-256 of what the client sent, in canonical form and without the values of the secrets: equal for
 *     equal requests, whatever the node's defaults have become in between
 */
public record Submission(
        String image,
        List<String> command,
        Map<String, String> env,
        Map<String, Secret> secrets,
        String workdir,
        Map<String, Blob> files,
        Limits limits,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels,
        Tenant tenant,
        Digest bodyDigest) {
    public Submission {
        command = List.copyOf(command);
        env = Map.copyOf(env);
        secrets = Map.copyOf(secrets);
        files = Map.copyOf(files);
        labels = Map.copyOf(labels);
    }

    private Map<String, FileRef> references() {
        return files.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, file -> FileRef.of(file.getValue())));
    }

    /** The spec, with the secrets in the form that may be stored. */
    RunSpec sealedWith(SealedSecrets ciphertext) {
        return new RunSpec(
                image,
                command,
                env,
                ciphertext,
                workdir,
                references(),
                limits,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant);
    }
}
