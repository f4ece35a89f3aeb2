package dev.vivarium.persistence.journal;

/**
 * The shape of a stored event.
 *
 * @param type the event's stable name
 * @param version the version of its payload, from 1
 */
public record EventShape(String type, int version) {}
