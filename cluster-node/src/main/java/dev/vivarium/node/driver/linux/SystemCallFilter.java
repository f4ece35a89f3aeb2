package dev.vivarium.node.driver.linux;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.io.InputStream;

/**
 * The system calls that a sandbox may make: a list of our own, {@code seccomp.json}, in the format of the
 * Docker engine, because an engine's default differs from version to version and allows more than agents need. What is left out, and why, stands in
 * SECURITY.md.
 *
 * <p>A kernel of the sandbox's own applies it when its runtime is told to (gVisor: {@code --oci-seccomp}), a second wall
 * before the agent comes to that kernel. gVisor answers EPERM whatever errno is asked for, and the C libraries take
 * nothing but ENOSYS for "use clone": so clone3 is left to that kernel, in which a namespace opens nothing of the host.
 */
public final class SystemCallFilter {
    private static final String RESOURCE = "seccomp.json";
    private static final String FALLS_BACK_ON_ENOSYS_ONLY = "clone3";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String onSharedKernel;
    private final String onOwnKernel;

    /** Reads the list of this build. */
    public SystemCallFilter() {
        ObjectNode profile = profile();
        onSharedKernel = profile.toString();
        leaveToTheKernel(FALLS_BACK_ON_ENOSYS_ONLY, profile.withArray("syscalls"));
        onOwnKernel = profile.toString();
    }

    /** The filter as JSON. */
    public String json(Isolation isolation) {
        return isolation.hasOwnKernel() ? onOwnKernel : onSharedKernel;
    }

    private static ObjectNode profile() {
        try (InputStream profile = SystemCallFilter.class.getResourceAsStream(RESOURCE)) {
            if (profile == null) {
                throw new IllegalStateException(RESOURCE + " is missing from this build.");
            }
            return (ObjectNode) JSON.readTree(profile);
        } catch (IOException unreadable) {
            throw new IllegalStateException(RESOURCE + " cannot be read.", unreadable);
        }
    }

    private static void leaveToTheKernel(String call, ArrayNode rules) {
        for (JsonNode rule : rules) {
            ArrayNode names = (ArrayNode) rule.get("names");
            for (int index = names.size() - 1; index >= 0; index--) {
                if (names.get(index).asText().equals(call)) {
                    names.remove(index);
                }
            }
        }
        rules.addObject().put("action", "SCMP_ACT_ALLOW").putArray("names").add(call);
    }
}
