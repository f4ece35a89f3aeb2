package dev.vivarium.node.cli.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The command that starts a node of a local cluster: this program, with the plan's settings. Starts nothing itself.
 *
 * @param folder the cluster's folder, with the configuration that all nodes share
 */
record NodeCommand(Path folder, LocalCluster.Surroundings around) {
    private static final List<String> MEMORY = List.of("-Xmx512m", "-Xms64m", "-XX:+ExitOnOutOfMemoryError");
    private static final List<String> OF_NEW_JAVA =
            List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow");
    private static final int NEW_JAVA = 24;

    static Path java() {
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }

    /** The arguments of the program. */
    List<String> words(ClusterPlan plan, int number, Member node) {
        List<String> words = new ArrayList<>(MEMORY);
        if (Runtime.version().feature() >= NEW_JAVA) {
            words.addAll(OF_NEW_JAVA);
        }
        words.addAll(List.of("-Dfile.encoding=UTF-8", "-Dvivarium.root=" + around.root()));
        String further =
                around.environment().getOrDefault("VIVARIUM_JAVA_OPTS", "").strip();
        if (!further.isEmpty()) {
            words.addAll(List.of(further.split("\\s+", -1)));
        }
        words.addAll(List.of("-cp", absolute(System.getProperty("java.class.path"))));
        words.addAll(List.of("dev.vivarium.node.cli.Vivarium", "up"));
        words.addAll(List.of("--host", ClusterPlan.host(number), "--port", Integer.toString(plan.httpPort())));
        words.addAll(List.of("--data", node.folder().resolve("data").toString(), "--drain", plan.drain()));
        words.addAll(List.of("--config", folder.resolve("node.conf").toString()));
        Map<String, String> settings = new TreeMap<>(plan.settings());
        settings.put("vivarium.cluster.node-name", node.name());
        settings.put("vivarium.cluster.host", ClusterPlan.host(number));
        settings.forEach((key, value) -> words.addAll(List.of("--set", key + "=" + value)));
        return words;
    }

    /** A node starts in its own folder, where a relative path means something else. */
    private static String absolute(String classPath) {
        return String.join(
                ":",
                Stream.of(classPath.split(":", -1))
                        .map(entry -> Path.of(entry).toAbsolutePath().toString())
                        .toList());
    }
}
