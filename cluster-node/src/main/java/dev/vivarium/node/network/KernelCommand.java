package dev.vivarium.node.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Runs the programs that configure the kernel's network: ip, nft, iptables. Each call blocks for a short time. */
final class KernelCommand {
    private static final Duration TIME_MAX = Duration.ofSeconds(10);

    private KernelCommand() {}

    /**
     * Runs a program to its end.
     *
     * @param input its standard input
     * @return its standard output
     * @throws IOException when it is missing, fails or hangs, with its error message
     */
    static String run(String input, String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        CompletableFuture<String> printed = CompletableFuture.supplyAsync(() -> read(process));
        try {
            process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().close();
        } catch (IOException deaf) {
            // It ended without reading all of its input; its exit code says why.
        }
        try {
            if (!process.waitFor(TIME_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException(
                        String.join(" ", command) + " did not end within " + TIME_MAX.toSeconds() + " s.");
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException(command[0] + " was interrupted.", interrupted);
        }
        String said;
        try {
            said = printed.join();
        } catch (CompletionException broken) {
            throw new IOException(command[0] + " cannot be heard.", broken);
        }
        if (process.exitValue() != 0) {
            throw new IOException(String.join(" ", List.of(command)) + ": " + said.strip());
        }
        return said;
    }

    private static String read(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
