package dev.vivarium.protocol.access;

/** What an operation of the API needs of its caller. Each operation names one; {@link Role} says who has it. */
public enum Permission {
    /** To start runs, and to upload contents for them. */
    SUBMIT,
    /** To end runs before their end. */
    CANCEL,
    /** To see runs: their state, output, events and artifacts. */
    READ,
    /** To delete what is kept of ended runs, and contents that no run has, before their time is over. */
    DELETE,
    /** To search events across runs, and to verify them. */
    AUDIT,
    /** To see what checks of the whole log have found, which names runs of all tenants, and to begin one. */
    CHECK,
    /** To put legal holds on tenants, and to remove them; {@link #AUDIT} suffices to see one's own. */
    HOLDS,
    /** To see nodes and their capacity. */
    NODES,
    /** To create, list and revoke tokens. */
    TOKENS,
    /** To put secrets for the runs of a tenant, and to remove them. Nobody can read one. */
    SECRETS,
    /** To list tenants and to set their quotas. */
    TENANTS
}
