package dev.vivarium.node.run;

/** Marks messages between nodes; bound to a serializer in reference.conf. */
public interface RunMessage {}
