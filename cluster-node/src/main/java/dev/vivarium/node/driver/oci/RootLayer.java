package dev.vivarium.node.driver.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.driver.SandboxHandle;
import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.RuntimeConfig;
import dev.vivarium.node.driver.guest.GuestProgram;
import dev.vivarium.node.program.PrivateFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The contents of a sandbox's root besides its image, as an overlay folder above the image's: the guest, the files of /etc
 * that an engine would bind-mount, and mount points, whatever the image has there. Sandboxes with the same layer share one
 * folder; folders are created again by each incarnation of a node.
 */
final class RootLayer {
    /** As in the volume of the Docker driver, only the guest's user may enter. */
    private static final Path GUEST_FOLDER = Path.of(".vivarium");

    private static final String HOSTS =
            """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            ff00::0\tip6-mcastprefix
            ff02::1\tip6-allnodes
            ff02::2\tip6-allrouters
            127.0.0.1\t%s
            """;

    private static final int OPEN_FOLDER = 0755;
    private static final int CLOSED_FOLDER = 0700;
    /** Whoever is in a mounted folder of gVisor's passes its mount point on the way to "..", by that one's mode. */
    private static final int PASSABLE = 0111;

    private static final int PROGRAM_MODE = 0555;
    private static final int FILE_MODE = 0644;

    private final Path folder;
    private final GuestProgram guest;
    private final Map<Content, Path> made = new ConcurrentHashMap<>();

    /** The differences between layers, the mount points: folders with their modes, and files. */
    private record Content(Map<String, Integer> folders, Set<String> files) {
        Content {
            folders = Map.copyOf(folders);
            files = Set.copyOf(files);
        }
    }

    /** @param folder a folder used by this node only */
    RootLayer(Path folder, GuestProgram guest) {
        this.folder = folder;
        this.guest = guest;
    }

    /** Removes the leftovers of the node's earlier incarnation. */
    void open() throws IOException {
        PrivateFolder.removeTree(folder);
        PrivateFolder.make(folder);
    }

    /** The layer for a sandbox with this configuration of its runtime. Blocks. */
    Path of(SandboxTemplate template, JsonNode config) throws IOException {
        int passable = template.isolation().hasOwnKernel() ? PASSABLE : 0;
        Map<String, Integer> folders = new TreeMap<>();
        Set<String> files = new TreeSet<>();
        for (JsonNode mount : config.path("mounts")) {
            String place = mount.path("destination").asText();
            if (mount.path("type").asText().equals(RuntimeConfig.FILE)) {
                files.add(place);
            } else {
                folders.put(place, mode(mount.path("options")) | passable);
            }
        }
        Content content = new Content(folders, files);
        Path known = made.get(content);
        if (known != null && isThere(known)) {
            return known;
        }
        synchronized (this) {
            known = made.get(content);
            if (known == null || !isThere(known)) {
                known = make(content);
                made.put(content, known);
            }
            return known;
        }
    }

    private static boolean isThere(Path layer) {
        return Files.exists(layer.resolve(GUEST_FOLDER).resolve(GuestProgram.NAME));
    }

    /** Some runtimes give a mounted file system the mode of its mount point. */
    private static int mode(JsonNode options) {
        for (JsonNode option : options) {
            String text = option.asText();
            if (text.startsWith("mode=")) {
                return Integer.parseInt(text.substring("mode=".length()), 8);
            }
        }
        return OPEN_FOLDER;
    }

    private Path make(Content content) throws IOException {
        PrivateFolder.make(folder);
        Path layer = Files.createTempDirectory(folder, "layer-");
        setMode(layer, OPEN_FOLDER);
        for (Map.Entry<String, Integer> place : new TreeMap<>(content.folders()).entrySet()) {
            // Mount points below another mount are created by the runtime.
            if (content.folders().keySet().stream()
                    .noneMatch(above -> place.getKey().startsWith(above + "/"))) {
                makeFolder(layer, Path.of(place.getKey().substring(1)), place.getValue());
            }
        }
        // Files also there: runsc binds them in the root before its kernel has any other file system.
        for (String file : content.files()) {
            makeFolder(layer, Objects.requireNonNull(Path.of(file).getParent()), OPEN_FOLDER);
            write(layer.resolve(file.substring(1)), "");
        }
        Path guestFolder = makeFolder(layer, GUEST_FOLDER, CLOSED_FOLDER);
        write(guestFolder.resolve(GuestProgram.NAME), guest.bytes(), PROGRAM_MODE);
        Path etc = makeFolder(layer, Path.of("etc"), OPEN_FOLDER);
        write(etc.resolve("hostname"), SandboxHandle.HOST_NAME + "\n");
        write(etc.resolve("hosts"), HOSTS.formatted(SandboxHandle.HOST_NAME));
        return layer;
    }

    private static Path makeFolder(Path layer, Path path, int mode) throws IOException {
        Path made = layer;
        for (Path part : path) {
            made = made.resolve(part);
            if (!Files.isDirectory(made)) {
                Files.createDirectory(made);
                setMode(made, OPEN_FOLDER);
            }
        }
        setMode(made, mode);
        return made;
    }

    private static void write(Path file, String text) throws IOException {
        write(file, text.getBytes(StandardCharsets.UTF_8), FILE_MODE);
    }

    private static void write(Path file, byte[] bytes, int mode) throws IOException {
        Files.write(file, bytes);
        setMode(file, mode);
    }

    private static void setMode(Path file, int mode) throws IOException {
        Files.setAttribute(file, "unix:mode", mode);
    }
}
