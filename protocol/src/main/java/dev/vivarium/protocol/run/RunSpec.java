package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The complete specification of a run: admission has filled in the defaults, checked the ceilings and sealed the
 * secrets.
 *
 * @param image the sandbox's image, as the engine names it
 * @param command the agent's program and its arguments; at least the program
 * @param env environment variables without the secrets
 * @param secrets environment variables whose values only the agent may see
 * @param namedSecrets environment variables whose values are secrets of the tenant, looked up when an attempt starts
 * @param workdir the working directory
 * @param files files put into the workspace before the agent starts, by path; relative paths are below the workspace.
 *     Their contents are the tenant's blobs
 * @param artifacts what is kept of the workspace when the run ends: paths and globs
 * @param limits the hard limits
 * @param warning the warning before the deadline, if the run asked for one
 * @param egress what the sandbox may reach
 * @param isolation how strongly the sandbox is isolated from its node
 * @param onNodeLoss what happens when an attempt is interrupted through no fault of its own
 * @param maxAttempts the most attempts, at least one
 * @param labels the user's labels, for finding runs
 * @param tenant the tenant it belongs to
 * @param webhook what is called when it starts, is near its deadline and ends, if anything
 */
public record RunSpec(
        String image,
        List<String> command,
        Map<String, String> env,
        SealedSecrets secrets,
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
        Tenant tenant,
        Optional<Webhook> webhook) {
    public RunSpec {
        command = List.copyOf(command);
        env = Map.copyOf(env);
        namedSecrets = Map.copyOf(namedSecrets);
        files = Map.copyOf(files);
        artifacts = List.copyOf(artifacts);
        labels = Map.copyOf(labels);
    }

    /** This specification with other limits. */
    public RunSpec with(Limits other) {
        return new RunSpec(
                image,
                command,
                env,
                secrets,
                namedSecrets,
                workdir,
                files,
                artifacts,
                other,
                warning,
                egress,
                isolation,
                onNodeLoss,
                maxAttempts,
                labels,
                tenant,
                webhook);
    }

    /** The label with which a submission names its tenant, and with which lists select the tenant's runs. */
    public static final String TENANT_LABEL = "tenant";
}
