package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.sandbox.SandboxReport.Outcome;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SecretName;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What must be in a sandbox before its agent starts: files and secrets, prepared concurrently. Used by one Sandbox
 * actor; not thread-safe.
 */
final class Preparation {
    private final SandboxEnvironment environment;
    private final AttemptName attempt;
    private final SandboxId id;
    private final RunSpec spec;
    private final Map<String, String> imageEnvironment;
    private final Inbox inbox;
    private final Reporter reporter;
    private final FilePreparation files;
    /** Empty until they are opened, and again after {@link #spawn}. */
    private Optional<Map<String, String>> secrets = Optional.empty();

    /** Results from the store, as messages to the actor. */
    sealed interface Message extends Sandbox.Command
            permits SecretsOpened, SecretsUnavailable, FilePreparation.Message {}

    /**
     * @param own the run's own, by variable
     * @param named those of its tenant
     */
    private record SecretsOpened(Map<String, String> own, NamedSecrets.Opened named) implements Message {
        @Override
        public String toString() {
            return "SecretsOpened(" + own.keySet() + ", " + named + ")";
        }
    }

    private record SecretsUnavailable(Throwable why) implements Message {}

    /** @param imageEnvironment the image's variables */
    Preparation(
            SandboxEnvironment environment,
            AttemptName attempt,
            SandboxId id,
            RunSpec spec,
            Map<String, String> imageEnvironment,
            Inbox inbox,
            Guest guest,
            Reporter reporter) {
        this.environment = environment;
        this.attempt = attempt;
        this.id = id;
        this.spec = spec;
        this.imageEnvironment = imageEnvironment;
        this.inbox = inbox;
        this.reporter = reporter;
        this.files = new FilePreparation(environment, attempt, spec, id.agentUid(), inbox, guest);
    }

    void begin() {
        inbox.hear(
                environment
                        .store()
                        .secrets()
                        .open(attempt.run(), spec.secrets())
                        .thenCombine(
                                environment.store().namedSecrets().open(spec.tenant(), spec.namedSecrets()),
                                SecretsOpened::new),
                opened -> opened,
                SecretsUnavailable::new);
        files.begin();
    }

    /** Handles the store's answer; returns the attempt's outcome when something needed cannot be had. */
    Optional<Outcome> on(Message message) {
        if (message instanceof SecretsOpened opened) {
            return onOpened(opened);
        }
        if (message instanceof SecretsUnavailable failed) {
            inbox.log().warn("The secrets of {} could not be opened: {}", attempt, failed.why.getMessage());
            return Optional.of(
                    StageFailure.cause(failed.why) instanceof NamedSecrets.NoSuchSecret removed
                            ? Outcomes.secretRemoved(removed.name())
                            : Outcomes.secretsUnavailable());
        }
        return files.on((FilePreparation.Message) message);
    }

    private Optional<Outcome> onOpened(SecretsOpened opened) {
        if (!opened.named.versions().isEmpty()) {
            reporter.secretsUsed(opened.named.versions());
        }
        Map<String, String> all = new HashMap<>(opened.own);
        all.putAll(opened.named.values());
        secrets = Optional.of(all);
        Map<String, String> injected = AgentStart.injected(spec, all);
        Optional<SecretName> unfit = injected.entrySet().stream()
                .filter(secret -> !InjectedHeader.carries(secret.getValue()))
                .flatMap(secret -> Optional.ofNullable(spec.namedSecrets().get(secret.getKey())).stream())
                .findFirst();
        if (unfit.isEmpty() && !injected.isEmpty()) {
            environment.sandboxes().entrust(id, injected);
        }
        return unfit.map(Outcomes::secretFitsNoHeader);
    }

    /** Handles the guest's answer; returns as above. */
    Optional<Outcome> heard(GuestFrame frame) {
        return frame instanceof GuestFrame.Done done ? files.answered(done) : Optional.empty();
    }

    boolean isComplete() {
        return secrets.isPresent() && files.isComplete();
    }

    /** The frame that starts the agent; it takes the secrets, which are not kept here any longer. */
    NodeFrame.Spawn spawn() {
        NodeFrame.Spawn spawn =
                AgentStart.spawn(attempt, id, spec, imageEnvironment, secrets.orElse(Map.of()), environment.settings());
        secrets = Optional.empty();
        return spawn;
    }
}
