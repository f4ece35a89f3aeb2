package dev.vivarium.loadtests.subject;

import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** A way to run a command in a fresh sandbox and remove the sandbox. Thread-safe. */
public interface SandboxLife {
    /** Creates a sandbox, runs the command in it to its end, and returns when the sandbox is gone. */
    void once() throws IOException;

    /** Through a node: a run's output ends when the run does, and then its sandbox is gone. */
    static SandboxLife of(VivariumApi api, Workload workload) {
        return () -> {
            RunId run = api.submit(workload);
            try (InputStream output = api.followOutput(run)) {
                output.transferTo(OutputStream.nullOutputStream());
            }
            RunStatus end = api.status(run);
            if (end != RunStatus.SUCCEEDED) {
                throw new IOException("Run " + run + " is " + end + " and not SUCCEEDED.");
            }
        };
    }

    /** Through the engine's own API. */
    static SandboxLife of(EngineApi engine, Workload workload) {
        return () -> {
            String container = engine.create(workload.container());
            try {
                engine.start(container);
                int exit = engine.awaitExit(container);
                if (exit != 0) {
                    throw new IOException("The command ended with " + exit + ".");
                }
            } finally {
                engine.remove(container);
            }
        };
    }
}
