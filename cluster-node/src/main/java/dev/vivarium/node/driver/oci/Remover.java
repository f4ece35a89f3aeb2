package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.linux.CgroupFormat;
import dev.vivarium.node.driver.linux.ContainerProcesses;
import dev.vivarium.node.driver.oci.StateFolder.Name;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds everything that belongs to sandboxes by names that outlive its creators (folders, control groups, processes of
 * runtimes), and removes it. All calls block.
 */
final class Remover {
    private static final Logger LOG = LoggerFactory.getLogger(Remover.class);
    private static final Path PROC = Path.of("/proc");
    private static final String GROUPS = "/vivarium/";
    /** The launcher gives up sooner, with a reason. */
    private static final long REMOVAL_SECONDS_MAX = 30;

    private static final int TRIES_MAX = 2;

    private final StateFolder state;
    private final Launcher launcher;
    private final List<Path> hierarchies;
    private final ContainerProcesses processes = new ContainerProcesses(PROC);

    Remover(StateFolder state, Launcher launcher) throws IOException {
        this.state = state;
        this.launcher = launcher;
        this.hierarchies = CgroupFormat.mountPoints(Files.readAllLines(PROC.resolve("mounts"))).stream()
                .map(Path::of)
                .toList();
    }

    /** The path of an installation's control groups in each hierarchy. */
    static String groups(Path installation) {
        return GROUPS + installation.getFileName();
    }

    /** The path of a sandbox's control group. */
    String group(Name name) {
        return groups(state.installation()) + "/" + name;
    }

    /** All remains of this installation, of any node. */
    Set<Name> all() throws IOException {
        Set<Name> names = new LinkedHashSet<>(state.all());
        for (Path hierarchy : hierarchies) {
            Path groups = hierarchy.resolve(groups(state.installation()).substring(1));
            for (Path node : folders(groups)) {
                for (Path sandbox : folders(node)) {
                    String id = sandbox.getFileName().toString();
                    if (SandboxId.isValid(id)) {
                        names.add(new Name(node.getFileName().toString(), new SandboxId(id)));
                    }
                }
            }
        }
        return names;
    }

    private static List<Path> folders(Path parent) throws IOException {
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, Files::isDirectory)) {
            entries.forEach(found::add);
        } catch (DirectoryIteratorException broken) {
            throw broken.getCause();
        }
        return found;
    }

    /** Removes everything of a sandbox, of whichever node. */
    void removeAll(SandboxId id) {
        try {
            for (Name name : all()) {
                if (name.id().equals(id)) {
                    remove(name);
                }
            }
        } catch (IOException unreadable) {
            throw unreadable(unreadable);
        }
    }

    static DriverException unreadable(IOException failed) {
        return new DriverException(
                Kind.ENGINE_UNAVAILABLE, "The state of sandboxes cannot be read: " + failed.getMessage(), failed);
    }

    /** Kills and removes the sandbox, and returns when nothing of it is left. */
    void remove(Name name) {
        for (int attempt = 1; ; attempt++) {
            try {
                removeOnce(name);
                return;
            } catch (DriverException failure) {
                if (attempt == TRIES_MAX) {
                    throw failure;
                }
                LOG.debug("Sandbox {} is removed again: {}", name, failure.getMessage());
            } catch (IOException failed) {
                throw new DriverException(
                        Kind.ENGINE_UNAVAILABLE,
                        "The files of the sandbox could not be removed: " + failed.getMessage(),
                        failed);
            }
        }
    }

    private void removeOnce(Name name) throws IOException {
        if (!launcher.hasMade(name)) {
            killStrays(name);
        }
        await(name);
        state.remove(name);
    }

    /**
     * Processes of a runtime whose launcher died in the middle of its work have lost their parent, and may not be in the
     * sandbox's control group yet: they are recognized by the folder in their arguments.
     */
    private void killStrays(Name name) {
        processes.killCalledWith("--bundle", state.folder(name).toString());
        processes.kill(name.id().value());
    }

    private void await(Name name) {
        try {
            launcher.remove(name, runtimeOf(name)).get(REMOVAL_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof DriverException refusal) {
                throw refusal;
            }
            throw new IllegalStateException(failed);
        } catch (TimeoutException late) {
            launcher.killSilent();
            throw new DriverException(
                    Kind.ENGINE_UNAVAILABLE, "The sandbox was not gone after " + REMOVAL_SECONDS_MAX + " s.", late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new DriverException(Kind.ENGINE_UNAVAILABLE, "The node was stopped meanwhile.", interrupted);
        }
    }

    /** The number of the runtime that has a sandbox of this name; the first one if none has. */
    private int runtimeOf(Name name) {
        Path node = state.installation().resolve(name.mark());
        for (int number = 1; Files.isDirectory(node.resolve("runtime-" + number)); number++) {
            if (Files.exists(
                    node.resolve("runtime-" + number).resolve(name.id() + "_sandbox:" + name.id() + ".state"))) {
                return number;
            }
        }
        return 0;
    }

    /** Removes this node's own control group, and the installation's when no other node has one. */
    void close() {
        for (Path hierarchy : hierarchies) {
            Path installation = hierarchy.resolve(groups(state.installation()).substring(1));
            for (Path group : new Path[] {installation.resolve(state.own().getFileName()), installation}) {
                try {
                    Files.deleteIfExists(group);
                } catch (IOException inUse) {
                    LOG.debug("{} stays: {}", group, inUse.toString());
                }
            }
        }
    }
}
