package dev.vivarium.protocol.egress;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What a sandbox may reach over the network.
 *
 * @param mode the class of destinations
 */
public record EgressPolicy(Mode mode) {
    /** The classes of destinations, strictest first. */
    public enum Mode {
        /** No network at all: the sandbox has a loopback of its own and nothing else. */
        @JsonProperty("none")
        NONE,
        /** Named hosts and CIDRs only. */
        @JsonProperty("allowlist")
        ALLOWLIST,
        /** The internet, without anything internal. */
        @JsonProperty("public")
        PUBLIC
    }
}
