package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How strongly a sandbox is isolated from its node, weakest first; an operator can set a minimum. */
public enum Isolation {
    /** The engine's default runtime: namespaces, cgroups and a system call filter of the host's kernel. */
    @JsonProperty("container")
    CONTAINER,
    /** A user-space kernel (runsc) between the agent and the host's kernel. */
    @JsonProperty("gvisor")
    GVISOR,
    /** A virtual machine with its own kernel. */
    @JsonProperty("microvm")
    MICROVM;

    /**
     * Whether sandboxes have their own kernel: then that kernel's counts (processes, processes by user) cover the
     * sandbox alone, while the host's counts include the kernel's overhead.
     */
    public boolean hasOwnKernel() {
        return this != CONTAINER;
    }
}
