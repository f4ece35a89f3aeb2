package dev.vivarium.loadtests.subject;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.trials.outside.OciRecords;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the first process of a run's sandbox, whichever driver made it, without asking a node. */
final class GuestProcess {
    private static final String NUMBERS = "NSpid:";

    private final EngineApi engine;
    private final OciRecords records = new OciRecords();

    GuestProcess(EngineApi engine) {
        this.engine = engine;
    }

    /** The process id on this machine of the guest of a run that is running. */
    long of(RunId run) throws IOException {
        Optional<OciRecords.Claimed> claim = records.of(run.value());
        if (claim.isPresent()) {
            for (long pid : records.processes(claim.get())) {
                if (isFirst(pid)) {
                    return pid;
                }
            }
            throw new IOException("The sandbox of run " + run + " has no first process.");
        }
        return engine.firstProcess(engine.list("name", run.value()).stream()
                .findFirst()
                .orElseThrow(() -> new IOException("Neither the driver oci nor the engine has a sandbox of run " + run
                        + ". This benchmark needs a node on this machine.")));
    }

    /** The kernel lists its number in each namespace, the innermost last. */
    private static boolean isFirst(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .anyMatch(line -> line.startsWith(NUMBERS) && line.strip().endsWith("\t1"));
    }
}
