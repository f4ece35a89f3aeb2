package dev.vivarium.persistence.cassandra;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a Cassandra server is started for one machine: a single node on loopback, durable (each write is on disk before
 * it is acknowledged), with a small heap. It runs on Java 17 alone, whatever Vivarium runs on. Not for production.
 */
public final class LocalCassandra {
    /** The datacenter name that clients must use. */
    public static final String DATACENTER = "datacenter1";

    private static final String AGENT = "/jamm-";

    private LocalCassandra() {}

    /**
     * Writes the server's configuration into its folder, which will also hold its data.
     *
     * @param cluster the server's cluster name
     * @param port for clients
     * @param internalPort for other servers, of which there are none
     */
    public static void configure(Path folder, String cluster, int port, int internalPort) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(
                settingsOf(folder),
                SETTINGS.replace("%CLUSTER%", cluster)
                        .replace(
                                "%FOLDER%",
                                folder.toString().replace("\\", "\\\\").replace("\"", "\\\""))
                        .replace("%PORT%", Integer.toString(port))
                        .replace("%INTERNAL_PORT%", Integer.toString(internalPort)));
        Files.writeString(rackOf(folder), "dc=" + DATACENTER + "\nrack=rack1\n");
        Files.writeString(loggingOf(folder), LOGBACK);
    }

    /** Whether the jars include the server's. */
    public static boolean isAmong(List<Path> jars) {
        return jars.stream().anyMatch(LocalCassandra::isAgent);
    }

    private static boolean isAgent(Path jar) {
        return jar.toString().contains(AGENT);
    }

    /**
     * JVM options for a server configured in this folder; to be followed by a class path and Cassandra's main class.
     *
     * @param jars the server's jars, including its agent
     */
    public static List<String> options(Path folder, List<Path> jars) {
        List<String> options = new ArrayList<>(List.of("-Xms64m", "-Xmx768m", "-XX:+UseSerialGC", "-Xss512k"));
        options.add("-javaagent:"
                + jars.stream().filter(LocalCassandra::isAgent).findFirst().orElseThrow());
        options.add("-Djdk.attach.allowAttachSelf=true");
        EXPORTS.forEach(exported -> options.addAll(List.of("--add-exports", exported + "=ALL-UNNAMED")));
        OPENS.forEach(opened -> options.addAll(List.of("--add-opens", opened + "=ALL-UNNAMED")));
        options.add("-Dcassandra.config=" + settingsOf(folder).toUri());
        options.add("-Dcassandra-rackdc.properties=" + rackOf(folder).toUri());
        options.add("-Dcassandra.storagedir=" + folder.resolve("data"));
        options.add("-Dlogback.configurationFile=" + loggingOf(folder));
        // There are no peers to wait for.
        options.addAll(List.of(
                "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                "-Dcassandra.ring_delay_ms=100",
                "-Dcassandra.superuser_setup_delay_ms=0",
                "-Dcassandra-foreground=yes"));
        return options;
    }

    private static Path settingsOf(Path folder) {
        return folder.resolve("cassandra.yaml");
    }

    private static Path rackOf(Path folder) {
        return folder.resolve("cassandra-rackdc.properties");
    }

    private static Path loggingOf(Path folder) {
        return folder.resolve("logback.xml");
    }

    private static final String SETTINGS =
            """
            cluster_name: %CLUSTER%
            num_tokens: 1
            partitioner: org.apache.cassandra.dht.Murmur3Partitioner
            endpoint_snitch: GossipingPropertyFileSnitch
            seed_provider:
              - class_name: org.apache.cassandra.locator.SimpleSeedProvider
                parameters:
                  - seeds: "127.0.0.1:%INTERNAL_PORT%"
            listen_address: 127.0.0.1
            storage_port: %INTERNAL_PORT%
            rpc_address: 127.0.0.1
            native_transport_port: %PORT%
            start_native_transport: true
            data_file_directories: ["%FOLDER%/data/sstables"]
            commitlog_directory: "%FOLDER%/data/commitlog"
            saved_caches_directory: "%FOLDER%/data/caches"
            hints_directory: "%FOLDER%/data/hints"
            cdc_raw_directory: "%FOLDER%/data/cdc"
            commitlog_sync: batch
            commitlog_segment_size: 16MiB
            commitlog_total_space: 256MiB
            memtable_heap_space: 64MiB
            memtable_offheap_space: 64MiB
            memtable_allocation_type: heap_buffers
            concurrent_reads: 8
            concurrent_writes: 16
            concurrent_compactors: 1
            key_cache_size: 4MiB
            paxos_variant: v2
            auto_snapshot: false
            disk_failure_policy: stop
            commit_failure_policy: stop
            """;

    private static final String LOGBACK =
            """
            <configuration>
              <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>%date %-5level %logger{20} %msg%n</pattern></encoder>
              </appender>
              <root level="WARN"><appender-ref ref="OUT"/></root>
            </configuration>
            """;

    private static final List<String> EXPORTS = List.of(
            "java.base/jdk.internal.misc",
            "java.base/java.lang.ref",
            "java.management.rmi/com.sun.jmx.remote.internal.rmi",
            "java.rmi/sun.rmi.registry",
            "java.rmi/sun.rmi.server",
            "java.sql/java.sql",
            "jdk.unsupported/sun.misc");

    private static final List<String> OPENS = List.of(
            "java.base/java.io",
            "java.base/java.lang",
            "java.base/java.lang.module",
            "java.base/java.lang.reflect",
            "java.base/java.net",
            "java.base/java.nio",
            "java.base/java.util",
            "java.base/java.util.concurrent",
            "java.base/java.util.concurrent.atomic",
            "java.base/jdk.internal.loader",
            "java.base/jdk.internal.math",
            "java.base/jdk.internal.module",
            "java.base/jdk.internal.ref",
            "java.base/jdk.internal.reflect",
            "java.base/jdk.internal.util.jar",
            "java.base/sun.nio.ch",
            "jdk.management/com.sun.management.internal");
}
