package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.trials.outside.OciRecords;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an OCI runtime needs for the sandbox that a node of the driver oci would make for a workload, but with the workload in
 * place of the guest: taken from a live sandbox of that node.
 *
 * @param runtime the node's runtime of containers
 * @param lower the layers of the root, as overlay's option lowerdir
 */
record RuntimeBundle(Path folder, Path runtime, String lower) {
    private static final String RUNTIME = "--runtime";
    private static final String IMAGE = "image";
    private static final Pattern UID = Pattern.compile("uid=([0-9]+)");

    /**
     * Writes it.
     *
     * @param node the node's process
     * @param folder an empty folder
     * @param controlGroup the control group of its containers
     */
    static RuntimeBundle like(VivariumApi api, long node, Workload workload, Path folder, String controlGroup)
            throws IOException {
        RunId run = api.submit(new Workload(workload.image(), List.of("sleep", "60")), Map.of());
        api.awaitRunning(run);
        try {
            OciRecords records = new OciRecords();
            OciRecords.Claimed sandbox = records.of(run.value())
                    .orElseThrow(() -> new IOException("Run " + run + " has no sandbox of the driver oci."));
            ObjectNode config = (ObjectNode)
                    ApiJson.parse(Files.readAllBytes(records.folder(sandbox).resolve("config.json")));
            long launcher = Driver.launcher(node)
                    .map(ProcessHandle::pid)
                    .orElseThrow(() -> new IOException("The node has no launcher."));
            // A sandbox's own files, and the names of its layers, are on a file system of the launcher's alone.
            Path seen = Path.of("/proc/" + launcher + "/root");
            Optional<Path> image = Optional.empty();
            for (JsonNode mount : config.path("mounts")) {
                if (mount.path("type").asText().equals("bind")) {
                    Path source = seen.resolve(mount.path("source").asText().substring(1));
                    Path copy = folder.resolve(source.getFileName());
                    Files.copy(source, copy);
                    ((ObjectNode) mount).put("source", copy.toString());
                    Path beside = source.resolveSibling(IMAGE);
                    image = Files.isSymbolicLink(beside) ? Optional.of(beside) : image;
                }
            }
            String lower = lower(image.orElseThrow(() -> new IOException("The sandbox has no files of its own.")));
            replaceGuest(config, workload, controlGroup);
            Files.write(folder.resolve("config.json"), ApiJson.bytes(config));
            Files.createDirectory(folder.resolve("root"));
            return new RuntimeBundle(folder, runtime(launcher), lower);
        } finally {
            api.cancel(run);
            api.awaitEnd(run);
        }
    }

    /** The guest would give up its rights, change the user, and start the command. */
    private static void replaceGuest(ObjectNode config, Workload workload, String controlGroup) throws IOException {
        ObjectNode process = (ObjectNode) config.path("process");
        var words = process.putArray("args");
        workload.command().forEach(words::add);
        Matcher uid = UID.matcher(config.path("mounts").toString());
        if (!uid.find()) {
            throw new IOException("The sandbox has no workspace of an agent's.");
        }
        long agent = Long.parseLong(uid.group(1));
        process.putObject("user").put("uid", agent).put("gid", agent);
        process.put("cwd", "/workspace");
        ObjectNode capabilities = process.putObject("capabilities");
        for (String set : List.of("bounding", "effective", "permitted", "inheritable", "ambient")) {
            capabilities.putArray(set);
        }
        config.remove("annotations");
        config.withObject("/linux").put("cgroupsPath", controlGroup);
    }

    private static String lower(Path image) throws IOException {
        return Files.readSymbolicLink(image.resolveSibling("layer")) + ":" + Files.readSymbolicLink(image);
    }

    /** By the arguments of the node's launcher. */
    private static Path runtime(long launcher) throws IOException {
        String[] words = Files.readString(Path.of("/proc/" + launcher + "/cmdline"), StandardCharsets.UTF_8)
                .split("\0", -1);
        for (int at = 0; at + 1 < words.length; at++) {
            if (words[at].equals(RUNTIME)) {
                return Path.of(words[at + 1]);
            }
        }
        throw new IOException("The node's launcher has no runtime of containers.");
    }
}
