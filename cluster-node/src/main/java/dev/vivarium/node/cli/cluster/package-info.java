/**
 * A cluster on one machine, to try failover with: a Cassandra and several nodes, each in a separate process that outlives
 * the command that started it.
 *
 * <p>Its folder ({@code $VIVARIUM_HOME/cluster}, or {@code --folder}) is the only record of it, and its layout is
 * stable:
 *
 * <pre>
 * cluster.json          the number of nodes, their ports, and their settings
 * node.conf             the configuration of the nodes, as `vivarium up --config` takes it
 * secret, master.key    the cluster's shared secret, and the key that wraps the keys of secrets
 * node-N/pid            the process id of a node; the file is absent, or names a process that has ended, while it does
 *                       not run
 * node-N/log            its log, across restarts
 * node-N/data           its data directory
 * store/pid, log, data  the same for Cassandra, and cassandra.yaml
 * </pre>
 *
 * <p>Node N listens on 127.0.0.N: the API at {@code --http-port}, the cluster's own traffic at {@code --port-base}. Cassandra
 * listens on 127.0.0.1 at the two ports after that. A process is identified by its pid and by its folder on its command line,
 * never by the pid alone.
 */
@NullMarked
package dev.vivarium.node.cli.cluster;

import org.jspecify.annotations.NullMarked;
