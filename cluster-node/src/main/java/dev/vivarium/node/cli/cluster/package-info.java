/**
 * A cluster on one machine, to try failover with: a Cassandra and several nodes, each a process of its own that outlives
 * the command that started it.
 *
 * <p>Its folder ({@code $VIVARIUM_HOME/cluster}, or {@code --folder}) is all that is known about it, and its layout can be
 * relied on:
 *
 * <pre>
 * cluster.json          how many nodes there are, their ports, and what is set for them
 * node.conf             the configuration of the nodes, as `vivarium up --config` takes it
 * secret, master.key    what keeps the cluster apart from others, and the key to the keys of secrets
 * node-N/pid            the process of a node, as a number; the file is absent, or names a process that is gone, while it
 *                       does not run
 * node-N/log            what it said, its earlier lives among it
 * node-N/data           its data directory
 * store/pid, log, data  the same for Cassandra, and cassandra.yaml
 * </pre>
 *
 * <p>Node N listens on 127.0.0.N: the API at {@code --http-port}, the cluster's own traffic at {@code --port-base}. Cassandra
 * listens on 127.0.0.1 at the two ports after that. A process is known by its pid and by its folder on its command line,
 * never by the pid alone.
 */
@NullMarked
package dev.vivarium.node.cli.cluster;

import org.jspecify.annotations.NullMarked;
