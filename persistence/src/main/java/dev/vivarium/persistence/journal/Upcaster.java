package dev.vivarium.persistence.journal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.UnaryOperator;

/**
 * One step from an older shape of an event to a newer one.
 *
 * @param to the shape after the step; another type renames the event
 * @param upcast converts the payload
 */
record Upcaster(EventShape to, UnaryOperator<ObjectNode> upcast) {}
