package dev.vivarium.node.driver.linux;

import dev.vivarium.node.driver.SandboxTemplate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.TreeMap;

/**
 * Files that a sandbox has in place of its image's or the kernel's: its agent's account, and the machine as the sandbox sees
 * it. A driver binds them over the others, read-only, from copies on this machine. Each sandbox has its own copies: a file that
 * two can open is a channel between them (locks, inotify).
 */
public final class OwnFiles {
    private OwnFiles() {}

    /**
     * Their content by path in the sandbox.
     *
     * @param account the files of the agent's account, by path
     */
    public static Map<String, byte[]> of(Map<String, byte[]> account, HostMachine machine, SandboxTemplate template) {
        Map<String, byte[]> files = new TreeMap<>(account);
        VisibleMachine.files(machine, template)
                .forEach((path, text) -> files.put(path, text.getBytes(StandardCharsets.UTF_8)));
        return files;
    }

    /**
     * Writes copies that a sandbox can read and not write, all or none, and returns them by path in the sandbox.
     *
     * @param prefix begins their names in the folder
     */
    public static Map<String, Path> write(Path folder, String prefix, Map<String, byte[]> files) throws IOException {
        Map<String, Path> copies = new TreeMap<>();
        try {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                Path copy = folder.resolve(prefix + file.getKey().replace('/', '-'));
                copies.put(file.getKey(), copy);
                Files.write(copy, file.getValue());
                Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("r--r--r--"));
            }
            return copies;
        } catch (IOException failed) {
            for (Path copy : copies.values()) {
                Files.deleteIfExists(copy);
            }
            throw failed;
        }
    }
}
