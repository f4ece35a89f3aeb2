package dev.vivarium.node.json;

import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * JSON as trees, in the forms of other programs: what the engine, ip and nft say, the profile of a system call filter; and
 * answers that the gateway gives to agents. Nothing that lasts and nothing of the API goes through it.
 */
public final class PlainJson {
    /** Shared, and not to be reconfigured. */
    public static final JsonMapper MAPPER = new JsonMapper();

    private PlainJson() {}
}
