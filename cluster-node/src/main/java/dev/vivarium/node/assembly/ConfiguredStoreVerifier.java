package dev.vivarium.node.assembly;

import dev.vivarium.node.NodeStartException;
import dev.vivarium.node.StoreVerifier;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.audit.LogCheck;
import dev.vivarium.persistence.audit.StoredLog;
import dev.vivarium.persistence.journal.StageFailure;
import dev.vivarium.protocol.audit.Verify;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Verifies the log in the store that a node with this configuration would open. */
public final class ConfiguredStoreVerifier implements StoreVerifier {
    @Override
    public Optional<Verify.Report> verify(
            Optional<Path> config,
            Map<String, String> overrides,
            Path dataDir,
            Optional<RunId> run,
            List<Verify.Key> keys)
            throws NodeStartException {
        try (StoredLog log = NodeStore.log(NodeConfig.of(config, overrides).store(), dataDir)) {
            return run.isPresent()
                    ? await(log.audit().proof(run.get())).map(proof -> Verify.check(proof.text(), keys))
                    : await(log.audit().check(keys)).map(check -> checked(log.audit(), check));
        } catch (CompletionException failed) {
            Throwable cause = StageFailure.cause(failed);
            throw new NodeStartException("The store cannot be read: " + cause.getMessage(), cause);
        }
    }

    private static Verify.Report checked(AuditLog log, LogCheck check) {
        while (!check.isDone()) {
            await(log.step(check));
        }
        return check.report();
    }

    private static <T> T await(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
