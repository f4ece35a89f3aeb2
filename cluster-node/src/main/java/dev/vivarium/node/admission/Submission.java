package dev.vivarium.node.admission;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileRef;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import java.util.List;
import java.util.Map;

/**
 * What a client asked for, checked field by field, with every default filled in and every ceiling kept. It differs from
 * a {@link RunSpec} in its secrets, which are still in clear here, and in its files, whose contents are not in the store
 * yet.
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
        Map<String, RequestedFile> files,
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

    /** The same without the contents of its files, once they are in the store. */
    Submission withoutFiles() {
        return new Submission(
                image,
                command,
                env,
                secrets,
                workdir,
                Map.of(),
                limits,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant,
                bodyDigest);
    }

    /** The spec, with secrets and files in the form that may be stored. */
    RunSpec spec(SealedSecrets ciphertext, Map<String, FileRef> references) {
        return new RunSpec(
                image,
                command,
                env,
                ciphertext,
                workdir,
                references,
                limits,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant);
    }
}
