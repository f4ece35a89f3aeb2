package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * An engine's report about itself, for the administrator of its machine.
 *
 * @param version its version
 * @param components the versions of the programs below it, by name: containerd, runc; the package's version if the packager
 *     has set it
 * @param storageDriver its storage driver for layers of images
 * @param dataFolder its data folder, on its machine
 * @param cgroupVersion the version of control groups that it uses: 1 or 2
 * @param securityOptions how it confines containers: seccomp, apparmor, rootless
 * @param liveRestore whether containers outlive its restart
 * @param defaultRuntime the name of its default runtime
 * @param runtimes its runtimes by name
 * @param place the machine that it is on
 */
public record EngineReport(
        String version,
        Map<String, String> components,
        String storageDriver,
        String dataFolder,
        String cgroupVersion,
        Set<String> securityOptions,
        LiveRestore liveRestore,
        String defaultRuntime,
        Map<String, OciRuntime> runtimes,
        Place place) {
    /** Whether containers outlive a restart of the engine. */
    public enum LiveRestore {
        ON,
        OFF
    }

    /** The machine of an engine. */
    public enum Place {
        THIS_MACHINE,
        ELSEWHERE
    }

    /**
     * One runtime.
     *
     * @param path its program, on the engine's machine
     * @param arguments its arguments
     */
    public record OciRuntime(String path, List<String> arguments) {
        public OciRuntime {
            arguments = List.copyOf(arguments);
        }
    }

    public EngineReport {
        components = Map.copyOf(components);
        securityOptions = Set.copyOf(securityOptions);
        runtimes = Map.copyOf(runtimes);
    }

    /**
     * Asks an engine. Blocks.
     *
     * @throws dev.vivarium.node.driver.DriverException when it does not answer
     */
    public static EngineReport ask(DockerDriverConfig config) {
        EngineAddress address = EngineAddress.of(config.engine());
        try (Engine engine = new Engine(address, config.connectTimeout(), config.responseTimeout())) {
            return engine.report();
        }
    }

    static EngineReport of(JsonNode version, JsonNode info, Place place) {
        Map<String, String> components = new TreeMap<>();
        for (JsonNode component : version.path("Components")) {
            components.put(component.path("Name").asText(), versionOf(component));
        }
        Set<String> security = new HashSet<>();
        for (JsonNode option : info.path("SecurityOptions")) {
            // name=seccomp,profile=default
            security.add(option.asText().replaceFirst("^name=", "").replaceFirst(",.*$", ""));
        }
        Map<String, OciRuntime> runtimes = new TreeMap<>();
        info.path("Runtimes").properties().forEach(entry -> runtimes.put(entry.getKey(), runtime(entry.getValue())));
        return new EngineReport(
                version.path("Version").asText(),
                components,
                info.path("Driver").asText(),
                info.path("DockerRootDir").asText(),
                info.path("CgroupVersion").asText(),
                security,
                info.path("LiveRestoreEnabled").asBoolean() ? LiveRestore.ON : LiveRestore.OFF,
                info.path("DefaultRuntime").asText(),
                runtimes,
                place);
    }

    /** Debian reports its package's version in place of the commit. */
    private static String versionOf(JsonNode component) {
        String version = component.path("Version").asText();
        String commit = component.path("Details").path("GitCommit").asText();
        return !version.isEmpty() && commit.startsWith(version) ? commit : version;
    }

    private static OciRuntime runtime(JsonNode runtime) {
        List<String> arguments = new ArrayList<>();
        runtime.path("runtimeArgs").forEach(argument -> arguments.add(argument.asText()));
        return new OciRuntime(runtime.path("path").asText(), arguments);
    }
}
