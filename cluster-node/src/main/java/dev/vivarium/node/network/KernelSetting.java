package dev.vivarium.node.network;

import dev.vivarium.node.kernel.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Kernel settings of the network, below /proc/sys/net. */
final class KernelSetting {
    private static final int LENGTH_MAX = 256;
    private static final Path FOLDER = Path.of("/proc/sys/net");

    private KernelSetting() {}

    static String read(String name) throws IOException {
        return KernelText.read(FOLDER.resolve(name), LENGTH_MAX).strip();
    }

    /**
     * Ensures that a setting has this value. It is written only if it differs, since containers may have it read-only
     * and already set from outside. A setting that the kernel does not have is ignored.
     *
     * @throws IOException naming the setting, when it differs and cannot be set
     */
    static void require(String name, String value) throws IOException {
        Path file = FOLDER.resolve(name);
        if (!Files.exists(file) || read(name).equals(value)) {
            return;
        }
        try {
            Files.writeString(file, value);
        } catch (IOException refused) {
            throw new IOException(
                    "net." + name.replace('/', '.') + " cannot be set to " + value + ": " + refused, refused);
        }
    }
}
