package dev.vivarium.protocol.run;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.util.List;
import java.util.Map;

/**
 * What a run is to be, complete: admission has filled in every default, checked every ceiling and sealed the secrets.
 *
 * @param image the sandbox's image, as the engine names it
 * @param command the agent's program and its arguments; at least the program
 * @param env environment variables, secrets not among them
 * @param secrets environment variables whose values nobody but the agent may see
 * @param workdir where the agent starts
 * @param files what is put into the workspace before the agent starts, by path; relative paths are below the workspace. The
 *     contents are blobs of the tenant
 * @param limits the hard limits
 * @param egress what it may reach
 * @param isolation how strongly it is separated from its node
 * @param onNodeLoss what happens when an attempt is interrupted by something that was not its own doing
 * @param maxAttempts how many attempts the run may have in all, one or more
 * @param labels the user's own marks, for finding runs again
 * @param tenant for whom it works
 */
public record RunSpec(
        String image,
        List<String> command,
        Map<String, String> env,
        SealedSecrets secrets,
        String workdir,
        Map<String, FileRef> files,
        Limits limits,
        EgressPolicy egress,
        Isolation isolation,
        NodeLossPolicy onNodeLoss,
        int maxAttempts,
        Map<String, String> labels,
        Tenant tenant) {
    public RunSpec {
        command = List.copyOf(command);
        env = Map.copyOf(env);
        files = Map.copyOf(files);
        labels = Map.copyOf(labels);
    }

    /** The label by which a submission names its tenant, and by which lists find the tenant's runs. */
    public static final String TENANT_LABEL = "tenant";
}
