package dev.vivarium.protocol.access;

import dev.vivarium.protocol.auth.Tenant;

/**
 * That a tenant would be over a quota. Amounts are in the quota's unit.
 *
 * @param limit the quota's amount
 * @param used what the tenant uses
 * @param asked what it asked for besides
 */
public record QuotaExcess(Tenant tenant, Quota quota, long limit, long used, long asked) {
    /** A sentence for the user. */
    public String sentence() {
        return "Tenant " + tenant + " has a quota " + quota + " of " + quota.written(limit) + " and uses "
                + quota.written(used) + "; this asks for " + quota.written(asked) + " more.";
    }

    /** What the user can do, as a sentence. */
    public String advice() {
        return switch (quota) {
            case EGRESS -> "A run counts with its limit egressBytes until it ends, and then with what it has sent and received"
                    + " until midnight UTC: ask for a smaller limit, try again later, or ask an operator for a larger quota.";
            case KEPT -> "A run counts with its limits output and artifacts until it ends, and then with what is kept of it,"
                    + " until the time for that is over (vivarium.retention); uploaded files count until hours after no run"
                    + " needs them: ask for smaller limits, wait, or ask an operator for a larger quota (`vivarium tenant set "
                    + tenant + " " + quota + "=...`) or a shorter time.";
            case RUNS,
                    WAITING,
                    MEMORY,
                    CPU,
                    PIDS,
                    DISK,
                    SUBMISSIONS,
                    READS,
                    WEIGHT -> "Try again later, or ask an operator for" + " a larger quota.";
        };
    }
}
