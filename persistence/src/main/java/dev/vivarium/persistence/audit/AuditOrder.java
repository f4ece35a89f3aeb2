package dev.vivarium.persistence.audit;

/** In which order events are listed. */
public enum AuditOrder {
    /** By falling position. */
    NEWEST,
    /** By rising position. */
    OLDEST
}
