package dev.vivarium.node.network;

import java.io.IOException;

/**
 * The sandboxes' entries in the kernel's connection tracking table, which the whole machine shares. Entries of a
 * sandbox that is gone would stay for days.
 */
final class TrackedConnections {
    private static final String NONE = "0 flow entries have been deleted";

    private TrackedConnections() {}

    /**
     * Deletes all entries that originated from an address. Blocks.
     *
     * @throws IOException when that fails, with the program's message
     */
    static void forget(String address) throws IOException {
        try {
            KernelCommand.run("", "conntrack", "--delete", "--orig-src", address);
        } catch (IOException failed) {
            // The program reports an error when there were no entries.
            if (!String.valueOf(failed.getMessage()).contains(NONE)) {
                throw failed;
            }
        }
    }

    /** @throws IOException with the end of a sentence, when entries cannot be deleted on this machine */
    static void require() throws IOException {
        try {
            KernelCommand.run("", "conntrack", "--count");
        } catch (IOException failed) {
            throw new IOException(
                    "what sandboxes leave in the kernel's table of connections cannot be deleted (install conntrack): "
                            + failed.getMessage(),
                    failed);
        }
    }
}
