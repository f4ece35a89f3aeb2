package dev.vivarium.loadtests.subject;

import dev.vivarium.trials.outside.OciRecords;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Folders as the driver oci and the kernel have them, below a folder of a test. */
public final class OciFolders {
    private static final String INSTALLATION = "00000000000000a1";
    private static final String NODE = "00000000000000b1";

    private final Path state;
    private final Path controlGroups;
    private final Path scratch;

    public OciFolders(Path folder) throws IOException {
        this.state = Files.createDirectory(folder.resolve("state"));
        this.controlGroups = Files.createDirectory(folder.resolve("cgroup"));
        this.scratch = Files.createDirectory(folder.resolve("scratch"));
    }

    public OciRecords records() {
        return new OciRecords(state, controlGroups);
    }

    public void claim(String run, int attempt, String id, String node) throws IOException {
        Path own = state.resolve(INSTALLATION).resolve(NODE);
        Files.createDirectories(own.resolve(id));
        Files.writeString(own.resolve("owner"), node);
        Files.createDirectories(link(run, attempt).getParent());
        Files.createSymbolicLink(link(run, attempt), Path.of("..", NODE, id));
    }

    /** Replaces the list of processes as a whole, as the kernel does. */
    public void processes(String id, String pids) throws IOException {
        Files.createDirectories(group(id));
        Path fresh = Files.writeString(scratch.resolve("procs"), pids);
        Files.move(fresh, group(id).resolve("cgroup.procs"), StandardCopyOption.ATOMIC_MOVE);
    }

    public void remove(String run, int attempt, String id) throws IOException {
        Files.delete(group(id).resolve("cgroup.procs"));
        Files.delete(group(id));
        removeLink(run, attempt);
        Files.delete(state.resolve(INSTALLATION).resolve(NODE).resolve(id));
    }

    public void removeLink(String run, int attempt) throws IOException {
        Files.delete(link(run, attempt));
    }

    private Path link(String run, int attempt) {
        return state.resolve(INSTALLATION).resolve("claims").resolve(run + "-" + attempt);
    }

    private Path group(String id) {
        return controlGroups
                .resolve("pids/vivarium")
                .resolve(INSTALLATION)
                .resolve(NODE)
                .resolve(id);
    }
}
