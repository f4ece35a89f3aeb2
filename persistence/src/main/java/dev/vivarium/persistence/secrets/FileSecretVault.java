package dev.vivarium.persistence.secrets;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import org.apache.pekko.Done;

/**
 * A vault whose keys are files: {@code keys/<run>} holds the run's key, wrapped with the node's {@code master.key}. They
 * are kept out of the database because a database forgets slowly: a deleted row lives on in its log and in dead tuples,
 * while a small file can be overwritten and removed. Where the disk itself keeps old blocks (flash, copy on write), what
 * survives there is a wrapped key, worthless without the master key.
 *
 * <p>Several nodes may share one directory that all of them see, on a file system with hard links: a key is created once,
 * whoever asks first.
 *
 * <p>AES-256-GCM throughout, with a fresh nonce for each value. What belongs to what is authenticated: a wrapped key to
 * its run, a value to its run and name.
 */
public final class FileSecretVault implements SecretVault {
    private static final String MASTER_KEY = "master.key";
    private static final String KEYS = "keys";
    private static final int WRAPPED_BYTES_MAX = 256;
    /** Beyond this age a draft in a shared directory is no other node's that is being written. */
    private static final Duration DRAFT_AGE_MAX = Duration.ofMinutes(10);

    private final Path keys;
    private final Sealer master;
    private final SecureRandom random;
    private final Executor executor;
    /** Read by those who take a key to seal with, written by the one who destroys keys that nobody seals with. */
    private final ReadWriteLock sealing = new ReentrantReadWriteLock();

    private FileSecretVault(Path keys, Sealer master, SecureRandom random, Executor executor) {
        this.keys = keys;
        this.master = master;
        this.random = random;
        this.executor = executor;
    }

    /**
     * Opens the vault in a directory that one node has to itself, making its master key when there has never been one.
     *
     * @param executor where files are written and forced to disk
     * @throws StoreUnavailable with a sentence for the user when that cannot be done
     */
    public static FileSecretVault in(Path directory, Executor executor) {
        try {
            make(directory);
            return opened(directory, executor, Instant.MAX);
        } catch (IOException | IllegalArgumentException failed) {
            throw unreadable(directory, failed);
        }
    }

    /**
     * Opens the vault in a directory that several nodes share, and that {@link #prepare} has made.
     *
     * @param executor where files are written and forced to disk
     * @throws StoreUnavailable with a sentence for the user when that cannot be done
     */
    public static FileSecretVault shared(Path directory, Executor executor) {
        try {
            if (!Files.exists(directory.resolve(MASTER_KEY))) {
                throw new StoreUnavailable("There is no " + MASTER_KEY + " in " + directory
                        + ": it must be the folder of keys that all nodes see. Is it mounted here? A new one is made by"
                        + " `vivarium store prepare`.");
            }
            return opened(directory, executor, Instant.now().minus(DRAFT_AGE_MAX));
        } catch (IOException | IllegalArgumentException failed) {
            throw unreadable(directory, failed);
        }
    }

    /**
     * Makes what {@link #shared} opens. Changes nothing when it is there.
     *
     * @throws StoreUnavailable with a sentence for the user when that cannot be done
     */
    public static void prepare(Path directory) {
        try {
            DurableFiles.createPrivateDirectory(directory);
            make(directory);
        } catch (IOException failed) {
            throw new StoreUnavailable(
                    "The keys of secrets cannot be kept in " + directory + ": " + failed.getMessage(), failed);
        }
    }

    private static void make(Path directory) throws IOException {
        Path keys = directory.resolve(KEYS);
        Path masterKey = directory.resolve(MASTER_KEY);
        DurableFiles.createPrivateDirectory(keys);
        if (!Files.exists(masterKey)) {
            makeMasterKey(masterKey, keys, new SecureRandom());
        }
    }

    private static FileSecretVault opened(Path directory, Executor executor, Instant draftsBefore) throws IOException {
        Path keys = directory.resolve(KEYS);
        SecureRandom random = new SecureRandom();
        shredDrafts(keys, draftsBefore);
        byte[] key = DurableFiles.read(directory.resolve(MASTER_KEY), Sealer.KEY_BYTES);
        return new FileSecretVault(keys, new Sealer(key, random), random, executor);
    }

    private static StoreUnavailable unreadable(Path directory, Exception failed) {
        return new StoreUnavailable(
                "The keys of secrets in " + directory + " cannot be read: " + failed.getMessage(), failed);
    }

    /** Keys that a crash kept from becoming files of their names; nothing was sealed with them. */
    private static void shredDrafts(Path keys, Instant before) throws IOException {
        try (DirectoryStream<Path> drafts = Files.newDirectoryStream(keys, "*" + DurableFiles.DRAFT)) {
            for (Path draft : drafts) {
                if (Files.getLastModifiedTime(draft).toInstant().isBefore(before)) {
                    DurableFiles.shred(draft);
                }
            }
        } catch (NoSuchFileException becameAFile) {
            // Another node's, which has its name now.
            return;
        }
    }

    private static void makeMasterKey(Path masterKey, Path keys, SecureRandom random) throws IOException {
        try (Stream<Path> wrapped = Files.list(keys)) {
            if (wrapped.findAny().isPresent()) {
                throw new StoreUnavailable("The master key " + masterKey + " is gone, and " + keys
                        + " holds keys that only it can open: restore it, or remove them and with them the secrets.");
            }
        }
        try {
            DurableFiles.create(masterKey, Sealer.newKey(random), DurableFiles.OWNER_ONLY);
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // Whoever was first has made it for all.
            return;
        }
    }

    @Override
    public CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets) {
        if (secrets.isEmpty()) {
            return CompletableFuture.completedFuture(SealedSecrets.NONE);
        }
        Map<String, String> sorted = new TreeMap<>(secrets);
        return work("seal the secrets of run " + run, () -> {
            Sealer sealer = new Sealer(keyForSealing(run), random);
            List<byte[]> sealed = new ArrayList<>();
            int bytes = 0;
            for (Map.Entry<String, String> secret : sorted.entrySet()) {
                byte[] value = secret.getValue().getBytes(StandardCharsets.UTF_8);
                sealed.add(sealer.seal(value, context(run, secret.getKey())));
                bytes += Integer.BYTES + sealed.get(sealed.size() - 1).length;
            }
            ByteBuffer out = ByteBuffer.allocate(bytes);
            sealed.forEach(value -> out.putInt(value.length).put(value));
            return new SealedSecrets(List.copyOf(sorted.keySet()), Blob.of(out.array()));
        });
    }

    @Override
    public CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed) {
        if (sealed.names().isEmpty()) {
            return CompletableFuture.completedFuture(Map.of());
        }
        return work("open the secrets of run " + run, () -> {
            Sealer sealer = new Sealer(unwrap(run), random);
            ByteBuffer in = ByteBuffer.wrap(sealed.ciphertext().toByteArray());
            Map<String, String> secrets = new TreeMap<>();
            for (String name : sealed.names()) {
                byte[] value = new byte[checkedLength(in)];
                in.get(value);
                secrets.put(name, new String(sealer.open(value, context(run, name)), StandardCharsets.UTF_8));
            }
            return secrets;
        });
    }

    @Override
    public CompletionStage<Done> shred(RunId run) {
        return work("destroy the key to the secrets of run " + run, () -> {
            DurableFiles.shred(file(run));
            return Done.getInstance();
        });
    }

    /** As {@link #shred}, on this thread. */
    public void shredNow(RunId run) {
        try {
            DurableFiles.shred(file(run));
        } catch (IOException failed) {
            throw notDestroyed(run, failed);
        }
    }

    /** Destroys the key of a run unless secrets were sealed with it since then, or are being sealed right now. */
    public void shredUnlessSealedSince(RunId run, Instant since) {
        sealing.writeLock().lock();
        try {
            if (Files.getLastModifiedTime(file(run)).toInstant().isBefore(since)) {
                DurableFiles.shred(file(run));
            }
        } catch (NoSuchFileException destroyed) {
            // By somebody else, in between.
            return;
        } catch (IOException failed) {
            throw notDestroyed(run, failed);
        } finally {
            sealing.writeLock().unlock();
        }
    }

    private static StoreUnavailable notDestroyed(RunId run, IOException failed) {
        return new StoreUnavailable(
                "The vault cannot destroy the key to the secrets of run " + run + ": " + failed.getMessage(), failed);
    }

    /** The runs whose keys exist. A run that has ended should not be among them. */
    public Set<RunId> runsWithKeys() {
        try (Stream<Path> files = Files.list(keys)) {
            Set<RunId> runs = new HashSet<>();
            files.map(file -> file.getFileName().toString())
                    .filter(RunId::isValid)
                    .forEach(name -> runs.add(new RunId(name)));
            return runs;
        } catch (IOException failed) {
            throw new StoreUnavailable("The keys of secrets cannot be listed: " + failed.getMessage(), failed);
        }
    }

    private Path file(RunId run) {
        return keys.resolve(run.value());
    }

    /** The run's key, marked as just used. */
    private byte[] keyForSealing(RunId run) throws IOException, GeneralSecurityException {
        sealing.readLock().lock();
        try {
            if (!Files.exists(file(run))) {
                return makeKey(run);
            }
            byte[] key = unwrap(run);
            Files.setLastModifiedTime(file(run), FileTime.from(Instant.now()));
            return key;
        } finally {
            sealing.readLock().unlock();
        }
    }

    private byte[] makeKey(RunId run) throws IOException, GeneralSecurityException {
        byte[] key = Sealer.newKey(random);
        try {
            DurableFiles.create(file(run), master.seal(key, context(run, "")), DurableFiles.OWNER_ONLY);
            return key;
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // By the node that the same submission reached as well: both must seal with one key.
            return unwrap(run);
        }
    }

    private byte[] unwrap(RunId run) throws IOException, GeneralSecurityException {
        try {
            return master.open(DurableFiles.read(file(run), WRAPPED_BYTES_MAX), context(run, ""));
        } catch (NoSuchFileException destroyed) {
            throw new KeyDestroyed(run);
        }
    }

    /** No name of a secret is empty, so the context of a key is no value's. */
    private static byte[] context(RunId run, String name) {
        return ("vivarium.secret:" + run + ":" + name).getBytes(StandardCharsets.UTF_8);
    }

    private static int checkedLength(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        return length;
    }

    /** Blocking work on files. */
    private interface Work<T> {
        T run() throws IOException, GeneralSecurityException;
    }

    /** Errors name the run and never what was sealed. */
    private <T> CompletionStage<T> work(String what, Work<T> work) {
        try {
            return CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return work.run();
                        } catch (IOException failed) {
                            throw new StoreUnavailable("The vault cannot " + what + ": " + failed.getMessage(), failed);
                        } catch (GeneralSecurityException | BufferUnderflowException failed) {
                            throw new StoreUnavailable(
                                    "The vault cannot " + what + ": the key or the sealed secrets are damaged.",
                                    failed);
                        }
                    },
                    executor);
        } catch (RejectedExecutionException overloaded) {
            return CompletableFuture.failedFuture(
                    new StoreUnavailable("The vault cannot " + what + ": it has too much to do.", overloaded));
        }
    }
}
