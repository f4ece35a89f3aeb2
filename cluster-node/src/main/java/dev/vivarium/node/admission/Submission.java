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
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.Webhook;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A client's request, checked field by field, with defaults filled in and ceilings checked. Unlike in a {@link
 * RunSpec}, secrets are in clear text, and files' contents are not stored yet.
 *
 * @param namedSecrets environment variables whose values are secrets of the tenant
 * @param bodyDigest SHA-256 of the client's body, in canonical form and without the values of secrets: equal for equal
 *     requests, even if the node's defaults changed in between
 */
public record Submission(
        String image,
        List<String> command,
        Map<String, String> env,
        Map<String, Secret> secrets,
        Map<String, SecretName> namedSecrets,
        String workdir,
        Map<String, RequestedFile> files,
        List<String> artifacts,
        Limits limits,
        Optional<Warning> warning,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels,
        Tenant tenant,
        Optional<Webhook> webhook,
        Digest bodyDigest) {
    public Submission {
        command = List.copyOf(command);
        env = Map.copyOf(env);
        secrets = Map.copyOf(secrets);
        namedSecrets = Map.copyOf(namedSecrets);
        files = Map.copyOf(files);
        artifacts = List.copyOf(artifacts);
        labels = Map.copyOf(labels);
    }

    /**
     * Whether it asks for what a run is, whatever it spells out and how: a default, a file by its digest, an amount in
     * another unit. The values of secrets are not compared.
     */
    boolean asksFor(RunSpec spec) {
        return image.equals(spec.image())
                && command.equals(spec.command())
                && env.equals(spec.env())
                && secrets.keySet().equals(Set.copyOf(spec.secrets().names()))
                && namedSecrets.equals(spec.namedSecrets())
                && workdir.equals(spec.workdir())
                && asksForFiles(spec.files())
                && artifacts.equals(spec.artifacts())
                && limits.equals(spec.limits())
                && warning.equals(spec.warning())
                && egress.equals(spec.egress())
                && isolation == spec.isolation()
                && onNodeLoss == spec.onNodeLoss()
                && maxAttempts == spec.maxAttempts()
                && labels.equals(spec.labels())
                && tenant.equals(spec.tenant())
                && webhook.equals(spec.webhook());
    }

    private boolean asksForFiles(Map<String, FileRef> references) {
        return files.keySet().equals(references.keySet())
                && files.entrySet().stream().allMatch(file -> {
                    FileRef reference = references.get(file.getKey());
                    return reference != null
                            && file.getValue().mode().equals(reference.mode())
                            && file.getValue().digest().equals(reference.digest())
                            && file.getValue().form() == reference.form();
                });
    }

    /** This submission without the contents of its files, once they are stored. */
    Submission withoutFiles() {
        return new Submission(
                image,
                command,
                env,
                secrets,
                namedSecrets,
                workdir,
                Map.of(),
                artifacts,
                limits,
                warning,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant,
                webhook,
                bodyDigest);
    }

    /** The spec, with secrets and files in the form that is stored. */
    RunSpec spec(SealedSecrets ciphertext, Map<String, FileRef> references) {
        return new RunSpec(
                image,
                command,
                env,
                ciphertext,
                namedSecrets,
                workdir,
                references,
                artifacts,
                limits,
                warning,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant,
                webhook);
    }
}
