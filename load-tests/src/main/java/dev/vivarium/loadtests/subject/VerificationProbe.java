package dev.vivarium.loadtests.subject;

import dev.vivarium.client.ExportReader;
import dev.vivarium.protocol.audit.ExportCheck;
import dev.vivarium.protocol.audit.Verify;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Verifies an export in a file, and does less than that with it, for comparison. All of it reads the file anew. */
public final class VerificationProbe {
    private static final int HASH_BYTES = 32;
    /** A leaf with the byte before it, and two hashes with theirs. */
    private static final int LEAF_BYTES = 84;

    private static final int NODE_BYTES = 65;

    private VerificationProbe() {}

    /**
     * As {@code vivarium audit verify FILE} does it.
     *
     * @throws IOException also when the export is not proven
     */
    public static Duration verify(Path file, List<Verify.Key> keys, int threads) throws IOException {
        long began = System.nanoTime();
        ExportCheck check = new ExportCheck(keys);
        try (InputStream in = Files.newInputStream(file);
                ExportReader reader = new ExportReader(check, threads)) {
            reader.read(in);
        }
        return proven(check, began);
    }

    /** Line by line, on one thread, and each line by the general reader of JSON. */
    public static Duration verifyByJson(Path file, List<Verify.Key> keys) throws IOException {
        long began = System.nanoTime();
        ExportCheck check = new ExportCheck(keys);
        try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                check.accept(ExportReader.line(line));
            }
        }
        return proven(check, began);
    }

    private static Duration proven(ExportCheck check, long began) throws IOException {
        Verify.Report report = check.report();
        if (report.verdict() != Verify.Verdict.PROVEN) {
            throw new IOException("The export is not proven: " + String.join(" ", report.sentences()));
        }
        return Duration.ofNanos(System.nanoTime() - began);
    }

    /**
     * SHA-256 of as many and as long inputs as the verification has, and nothing else: an event, its leaf, and a node of
     * the tree for each.
     */
    public static Duration hash(SyntheticExport export, int threads) throws IOException {
        long began = System.nanoTime();
        List<Thread> workers = new ArrayList<>();
        int share = (export.events() + threads - 1) / threads;
        for (int from = 0; from < export.events(); from += share) {
            int first = from;
            Thread worker = new Thread(() -> hash(export, first, Math.min(first + share, export.events())), "hash");
            worker.start();
            workers.add(worker);
        }
        try {
            for (Thread worker : workers) {
                worker.join();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        return Duration.ofNanos(System.nanoTime() - began);
    }

    private static void hash(SyntheticExport export, int from, int to) {
        byte[] bytes = new byte[1 << 13];
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (int position = from; position < to; position++) {
                for (int length : new int[] {export.hashed(position), LEAF_BYTES, NODE_BYTES}) {
                    digest.update(bytes, 0, length);
                    digest.digest(bytes, 0, HASH_BYTES);
                }
            }
        } catch (NoSuchAlgorithmException | DigestException impossible) {
            throw new IllegalStateException("Every Java platform has SHA-256.", impossible);
        }
    }
}
