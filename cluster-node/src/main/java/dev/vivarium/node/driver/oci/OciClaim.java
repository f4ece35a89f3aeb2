package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.AttemptName;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.container.ContainerMeter;
import dev.vivarium.node.driver.container.ContainerSandbox;
import dev.vivarium.node.driver.docker.EngineImages;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.linux.GroupLimits;
import dev.vivarium.node.driver.linux.InitProcess;
import dev.vivarium.node.driver.linux.RuntimeOverhead;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Gives waiting sandboxes to attempts, blocking: the attempt's limits in place of the waiting one's, by the kernel's files and by
 * the launcher, while only the guest runs. A sandbox whose claim fails has limits of neither and is to be destroyed.
 */
final class OciClaim {
    private static final Path PROC = Path.of("/proc");
    /** Of writes to the kernel's files, which take less than a millisecond. */
    private static final int RESIZE_SECONDS_MAX = 5;

    private final RuntimeConfig walls;
    private final int cpus;
    private final SandboxFiles files;
    private final ImageQuestions images;
    private final StateFolder state;
    private final Launcher launcher;
    private final ContainerMeter meter;

    OciClaim(
            RuntimeConfig walls,
            int cpus,
            SandboxFiles files,
            ImageQuestions images,
            StateFolder state,
            Launcher launcher,
            ContainerMeter meter) {
        this.walls = walls;
        this.cpus = cpus;
        this.files = files;
        this.images = images;
        this.state = state;
        this.launcher = launcher;
        this.meter = meter;
    }

    /** Claims the sandbox, as {@link dev.vivarium.node.driver.SandboxDriver#claim} says. */
    void claim(ContainerSandbox sandbox, AttemptName attempt, SandboxTemplate template) {
        CompletableFuture<EngineImages.Image> current = images.ask(template.image());
        sandbox.claim();
        try {
            state.claim(sandbox.id(), attempt);
        } catch (IOException failed) {
            throw new DriverException(Kind.REFUSED, "The attempt cannot be claimed: " + failed.getMessage(), failed);
        } catch (DriverException claimed) {
            sandbox.unclaim();
            throw claimed;
        }
        put(sandbox, template);
        sandbox.requireImage(idOf(current));
    }

    private static String idOf(CompletableFuture<EngineImages.Image> current) {
        try {
            return current.join().id();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof DriverException refusal
                    ? refusal
                    : new DriverException(
                            Kind.ENGINE_UNAVAILABLE,
                            "The engine was not asked for the image: " + failed.getMessage(),
                            failed);
        }
    }

    /** Puts the template's limits on. */
    void put(ContainerSandbox sandbox, SandboxTemplate template) {
        long pid = sandbox.firstProcess()
                .map(InitProcess::pid)
                .orElseThrow(() -> new DriverException(
                        Kind.UNSUITED, "The waiting sandbox cannot be used: its first process cannot be seen."));
        String mark = sandbox.id().value();
        RuntimeConfig.Sizes sizes = walls.sizes(template);
        // The launcher works while the kernel's files are written here.
        CompletableFuture<Void> resized = template.isolation().hasOwnKernel()
                ? CompletableFuture.completedFuture(null)
                : launcher.resize(state.name(sandbox.id()), sizes);
        CompletableFuture<Void> shown;
        try {
            files.change(sandbox.id(), sandbox.template(), template);
            shown = launcher.showFiles(state.name(sandbox.id()));
            GroupLimits.of(PROC, pid, mark)
                    .orElseThrow(() -> new IOException("its control group cannot be seen"))
                    .set(sizes.memoryBytes(), sizes.pids());
            sandbox.group()
                    .orElseThrow(() -> new IOException("its control group cannot be seen"))
                    .throttle(walls.cpuQuotaMicros(template));
        } catch (IOException failed) {
            throw unsuited("its limits cannot be set: " + failed.getMessage(), failed);
        }
        await(shown, "its files cannot be written");
        await(resized, "its places cannot be resized");
        sandbox.upkeep(RuntimeOverhead.of(template, cpus));
        sandbox.serve(template);
        meter.beginAgain(sandbox);
        sandbox.requireWanted();
    }

    private static void await(CompletableFuture<Void> step, String otherwise) {
        try {
            step.get(RESIZE_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof DriverException refusal
                    ? refusal
                    : unsuited(otherwise + ": " + failed.getMessage(), failed);
        } catch (TimeoutException late) {
            throw unsuited(otherwise + " within " + RESIZE_SECONDS_MAX + " s", late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw unsuited("the node is shutting down", interrupted);
        }
    }

    private static DriverException unsuited(String why, Exception cause) {
        return new DriverException(Kind.UNSUITED, "The waiting sandbox cannot be used: " + why + ".", cause);
    }
}
