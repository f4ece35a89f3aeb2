package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How strongly a sandbox is separated from its node, weakest first, so that an operator can set a minimum. */
public enum Isolation {
    /** The engine's default runtime: namespaces, cgroups and a system call filter of the host's kernel. */
    @JsonProperty("container")
    CONTAINER,
    /** A user-space kernel (runsc) between the agent and the host's kernel. */
    @JsonProperty("gvisor")
    GVISOR,
    /** A virtual machine with a kernel of its own. */
    @JsonProperty("microvm")
    MICROVM;

    /**
     * Whether sandboxes have a kernel of their own: then what that kernel counts (processes, users' processes) is the
     * sandbox's alone, and what the host counts is the kernel's upkeep too.
     */
    public boolean hasOwnKernel() {
        return this != CONTAINER;
    }
}
