package dev.vivarium.node.driver.linux;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.node.json.PlainJson;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.Set;

/**
 * The system calls that a sandbox may make: Vivarium's own list, {@code seccomp.json}, in the Docker engine's format,
 * because engines' defaults differ between versions and allow more than agents need. SECURITY.md explains what is left
 * out.
 *
 * <p>A sandbox's own kernel applies it when its runtime is configured to (gVisor: {@code --oci-seccomp}), as a second
 * barrier in front of that kernel. gVisor always answers EPERM, whatever errno is configured. So calls are allowed there
 * whose refusal needs another answer: clone3, where C libraries fall back to clone only on ENOSYS and a new namespace
 * exposes nothing of the host; fcntl, whose locks are in that kernel's memory; and those answered with success without
 * being done, which concern the host's disks, page cache and core dumps.
 */
public final class SystemCallFilter {
    private static final String RESOURCE = "seccomp.json";
    private static final Set<String> LEFT_TO_AN_OWN_KERNEL =
            Set.of("clone3", "fadvise64", "fcntl", "preadv2", "prlimit64", "setrlimit", "sync", "syncfs");

    private final String onSharedKernel;
    private final String onOwnKernel;

    /** Reads the list of this build. */
    public SystemCallFilter() {
        onSharedKernel = profile(Isolation.CONTAINER).toString();
        onOwnKernel = profile(Isolation.GVISOR).toString();
    }

    /** The filter as JSON. */
    public String json(Isolation isolation) {
        return isolation.hasOwnKernel() ? onOwnKernel : onSharedKernel;
    }

    /** The filter as a tree of its own. */
    public ObjectNode profile(Isolation isolation) {
        ObjectNode profile = profile();
        if (isolation.hasOwnKernel()) {
            leaveToTheKernel(LEFT_TO_AN_OWN_KERNEL, profile.withArray("syscalls"));
        }
        return profile;
    }

    private static ObjectNode profile() {
        try (InputStream profile = SystemCallFilter.class.getResourceAsStream(RESOURCE)) {
            if (profile == null) {
                throw new IllegalStateException(RESOURCE + " is missing from this build.");
            }
            return (ObjectNode) PlainJson.MAPPER.readTree(profile);
        } catch (IOException unreadable) {
            throw new IllegalStateException(RESOURCE + " cannot be read.", unreadable);
        }
    }

    private static void leaveToTheKernel(Set<String> calls, ArrayNode rules) {
        for (Iterator<JsonNode> each = rules.iterator(); each.hasNext(); ) {
            ArrayNode names = (ArrayNode) each.next().get("names");
            for (int index = names.size() - 1; index >= 0; index--) {
                if (calls.contains(names.get(index).asText())) {
                    names.remove(index);
                }
            }
            if (names.isEmpty()) {
                each.remove();
            }
        }
        ArrayNode left = rules.addObject().put("action", "SCMP_ACT_ALLOW").putArray("names");
        calls.stream().sorted().forEach(left::add);
    }
}
