package dev.vivarium.node.run;

/** Marks what may travel between nodes; bound to a serializer in reference.conf. */
public interface RunMessage {}
