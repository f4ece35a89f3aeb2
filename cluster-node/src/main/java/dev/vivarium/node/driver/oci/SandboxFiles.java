package dev.vivarium.node.driver.oci;

import dev.vivarium.node.driver.AgentAccount;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.linux.HostMachine;
import dev.vivarium.node.driver.linux.OwnFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that a sandbox has for itself: its agent's account, the machine as it sees it, and its resolver. A waiting
 * sandbox keeps the files and gets other contents when it is claimed.
 */
final class SandboxFiles {
    private static final Logger LOG = LoggerFactory.getLogger(SandboxFiles.class);
    private static final String CONTROL_GROUPS = "/sys/fs/cgroup/";
    private static final String PREFIX = "own";
    private static final String RESOLVERS = "/etc/resolv.conf";
    /** For a sandbox without a resolver, so that the machine's resolvers are not revealed. */
    private static final String NO_RESOLVER = "127.0.0.1";

    private final StateFolder state;
    private final RuntimeConfig.GroupsVersion groups;
    private final HostMachine host = HostMachine.read(Path.of("/"));

    SandboxFiles(StateFolder state, RuntimeConfig.GroupsVersion groups) {
        this.state = state;
        this.groups = groups;
    }

    /**
     * Writes all of a new sandbox into its folder, and returns by path in the sandbox where the launcher has the copies that it is
     * shown.
     */
    Map<String, Path> create(SandboxId id, SandboxTemplate template, Path tree) throws IOException {
        Map<String, byte[]> files = ofLimits(template);
        files.putAll(account(id, tree));
        Map<String, Path> shown = new TreeMap<>();
        OwnFiles.write(state.folder(state.name(id)), PREFIX, files)
                .forEach((path, written) -> shown.put(path, state.shown(id).resolve(written.getFileName())));
        return shown;
    }

    /**
     * Writes those again that differ between two templates; the sandbox sees them when {@link Launcher#showFiles} has completed.
     *
     * @param from the template that the sandbox has had
     */
    void change(SandboxId id, SandboxTemplate from, SandboxTemplate to) throws IOException {
        Map<String, byte[]> before = ofLimits(from);
        Map<String, byte[]> changed = ofLimits(to);
        changed.entrySet().removeIf(file -> Arrays.equals(file.getValue(), before.get(file.getKey())));
        OwnFiles.write(state.folder(state.name(id)), PREFIX, changed);
    }

    private Map<String, byte[]> ofLimits(SandboxTemplate template) {
        Map<String, byte[]> files = OwnFiles.of(Map.of(), host, template);
        if (groups == RuntimeConfig.GroupsVersion.ONE) {
            // Its sandboxes have no control groups to look at.
            files.keySet().removeIf(path -> path.startsWith(CONTROL_GROUPS));
        }
        files.put(
                RESOLVERS,
                ("nameserver " + template.resolver().orElse(NO_RESOLVER) + "\n").getBytes(StandardCharsets.UTF_8));
        return files;
    }

    private static Map<String, byte[]> account(SandboxId id, Path tree) {
        try {
            return AgentAccount.files(
                    Optional.of(ofImage(tree, AgentAccount.PASSWD)),
                    Optional.of(ofImage(tree, AgentAccount.GROUP)),
                    id.agentUid());
        } catch (IOException unreadable) {
            LOG.warn("The agent of sandbox {} has no name in its /etc/passwd: {}", id, unreadable.toString());
            return Map.of();
        }
    }

    private static byte[] ofImage(Path tree, String path) throws IOException {
        return TreeReader.read(tree, Path.of(path.substring(1)), AgentAccount.IMAGE_BYTES_MAX);
    }
}
