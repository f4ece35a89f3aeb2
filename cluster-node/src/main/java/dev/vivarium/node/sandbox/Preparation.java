package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.RunSpec;
import java.util.Map;
import java.util.Optional;

/**
 * What is brought into a sandbox before its agent starts: files and secrets, side by side. Owned by one Sandbox actor;
 * not safe for use by others.
 */
final class Preparation {
    private final AttemptName attempt;
    private final SandboxId id;
    private final RunSpec spec;
    private final Map<String, String> imageEnvironment;
    private final FilePreparation files;
    /** Empty until they were opened, and again when the agent has them. */
    private Optional<Map<String, String>> secrets = Optional.empty();

    Preparation(
            AttemptName attempt,
            SandboxId id,
            RunSpec spec,
            Map<String, String> imageEnvironment,
            FilePreparation files) {
        this.attempt = attempt;
        this.id = id;
        this.spec = spec;
        this.imageEnvironment = imageEnvironment;
        this.files = files;
    }

    FilePreparation files() {
        return files;
    }

    /** Takes the secrets; gives those that the network is to be entrusted with. */
    Map<String, String> opened(Map<String, String> openedSecrets) {
        secrets = Optional.of(openedSecrets);
        return AgentStart.injected(spec, openedSecrets);
    }

    boolean isComplete() {
        return secrets.isPresent() && files.isComplete();
    }

    /** The frame that starts the agent; the secrets are kept nowhere else afterwards. */
    NodeFrame.Spawn spawn(SandboxSettings settings) {
        NodeFrame.Spawn spawn =
                AgentStart.spawn(attempt, id, spec, imageEnvironment, secrets.orElse(Map.of()), settings);
        secrets = Optional.empty();
        return spawn;
    }
}
