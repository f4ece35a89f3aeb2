package dev.vivarium.persistence.secrets;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SealedSecrets;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import org.apache.pekko.Done;

/**
 * A vault whose keys are files: {@code keys/<run>} holds the run's key, wrapped with the node's {@code master.key}.
 * Keys are not in the database because a deleted row lives on in its log and in dead tuples, while a small file can be
 * overwritten and removed. Where the disk itself keeps old blocks (flash, copy on write), only a wrapped key survives,
 * useless without the master key.
 *
 * <p>Several nodes may share one directory on a file system with hard links: each key is created exactly once.
 *
 * <p>See {@link SecretSeal} for the encryption.
 */
public final class FileSecretVault implements SecretVault {
    private static final String MASTER_KEY = "master.key";
    private static final String KEYS = "keys";
    private static final int WRAPPED_BYTES_MAX = 256;
    /** A draft in a shared directory that is older than this was abandoned; a younger one may be another node's. */
    private static final Duration DRAFT_AGE_MAX = Duration.ofMinutes(10);

    private final Path keys;
    private final SecretSeal.Key master;
    private final Executor executor;
    private final Clock clock;
    /** The read lock is for sealing with a key, the write lock for destroying keys that are not being used to seal. */
    private final ReadWriteLock sealing = new ReentrantReadWriteLock();

    private FileSecretVault(Path keys, SecretSeal.Key master, Executor executor, Clock clock) {
        this.keys = keys;
        this.master = master;
        this.executor = executor;
        this.clock = clock;
    }

    /**
     * Opens the vault in a directory that belongs to one node, creating the master key on first use.
     *
     * @param executor runs the blocking file operations
     * @param clock the wall clock, which file times are compared with
     * @throws StoreUnavailable with a sentence for the user when that cannot be done
     */
    public static FileSecretVault in(Path directory, Executor executor, Clock clock) {
        try {
            make(directory);
            return opened(directory, executor, clock, Instant.MAX);
        } catch (IOException | IllegalArgumentException failed) {
            throw unreadable(directory, failed);
        }
    }

    /**
     * Opens the vault in a directory that several nodes share and {@link #prepare} created.
     *
     * @param executor runs the blocking file operations
     * @param clock the wall clock, which file times are compared with
     * @throws StoreUnavailable with a sentence for the user when that cannot be done
     */
    public static FileSecretVault shared(Path directory, Executor executor, Clock clock) {
        try {
            if (!Files.exists(directory.resolve(MASTER_KEY))) {
                throw new StoreUnavailable("There is no " + MASTER_KEY + " in " + directory
                        + ": it must be the folder of keys that all nodes share. Is it mounted here? Create a new one with"
                        + " `vivarium store prepare`.");
            }
            return opened(directory, executor, clock, clock.instant().minus(DRAFT_AGE_MAX));
        } catch (IOException | IllegalArgumentException failed) {
            throw unreadable(directory, failed);
        }
    }

    /**
     * Creates the directory that {@link #shared} opens. Idempotent.
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
            makeMasterKey(masterKey, keys);
        }
    }

    private static FileSecretVault opened(Path directory, Executor executor, Clock clock, Instant draftsBefore)
            throws IOException {
        Path keys = directory.resolve(KEYS);
        shredDrafts(keys, draftsBefore);
        byte[] key = DurableFiles.read(directory.resolve(MASTER_KEY), Sealer.KEY_BYTES);
        return new FileSecretVault(keys, SecretSeal.Key.of(key), executor, clock);
    }

    private static StoreUnavailable unreadable(Path directory, Exception failed) {
        return new StoreUnavailable(
                "The keys of secrets in " + directory + " cannot be read: " + failed.getMessage(), failed);
    }

    /** Drafts left by a crash; nothing was sealed with them. */
    private static void shredDrafts(Path keys, Instant before) throws IOException {
        try (DirectoryStream<Path> drafts = Files.newDirectoryStream(keys, "*" + DurableFiles.DRAFT)) {
            for (Path draft : drafts) {
                if (Files.getLastModifiedTime(draft).toInstant().isBefore(before)) {
                    DurableFiles.shred(draft);
                }
            }
        } catch (NoSuchFileException becameAFile) {
            // Another node has renamed it by now.
            return;
        }
    }

    private static void makeMasterKey(Path masterKey, Path keys) throws IOException {
        try (Stream<Path> wrapped = Files.list(keys)) {
            if (wrapped.findAny().isPresent()) {
                throw new StoreUnavailable("The master key " + masterKey + " is gone, and " + keys
                        + " holds keys that only it can open: restore it, or remove them and with them the secrets.");
            }
        }
        try {
            DurableFiles.create(masterKey, SecretSeal.Key.random().bytes(), DurableFiles.OWNER_ONLY);
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // The first node's master key is everyone's.
            return;
        }
    }

    /** How the installation with this master key signs what it sends to webhooks. */
    public WebhookSeal webhookSeal() {
        return new WebhookSeal(List.of(master));
    }

    /** How tokens of the installation with this master key are made and recognized. */
    public TokenSeal tokenSeal() {
        return new TokenSeal(List.of(master));
    }

    /** How tenants' secrets are sealed with this master key. */
    public NamedSecretSeal namedSecretSeal() {
        return NamedSecretSeal.of(List.of(master));
    }

    @Override
    public CompletionStage<SealedSecrets> seal(RunId run, Map<String, String> secrets) {
        if (secrets.isEmpty()) {
            return CompletableFuture.completedFuture(SealedSecrets.NONE);
        }
        Map<String, String> all = Map.copyOf(secrets);
        return work("seal the secrets of run " + run, () -> SecretSeal.seal(keyForSealing(run), run, all));
    }

    @Override
    public CompletionStage<Map<String, String>> open(RunId run, SealedSecrets sealed) {
        if (sealed.names().isEmpty()) {
            return CompletableFuture.completedFuture(Map.of());
        }
        return work("open the secrets of run " + run, () -> SecretSeal.open(unwrap(run), run, sealed));
    }

    @Override
    public CompletionStage<Done> shred(RunId run) {
        return work("destroy the key to the secrets of run " + run, () -> {
            DurableFiles.shred(file(run));
            return Done.getInstance();
        });
    }

    /** Like {@link #shred}, on the calling thread. */
    public void shredNow(RunId run) {
        try {
            DurableFiles.shred(file(run));
        } catch (IOException failed) {
            throw notDestroyed(run, failed);
        }
    }

    /** Destroys a run's key unless secrets were sealed with it since the given time, or are being sealed now. */
    public void shredUnlessSealedSince(RunId run, Instant since) {
        sealing.writeLock().lock();
        try {
            if (Files.getLastModifiedTime(file(run)).toInstant().isBefore(since)) {
                DurableFiles.shred(file(run));
            }
        } catch (NoSuchFileException destroyed) {
            // Removed by another node in between.
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

    /** The runs whose keys exist; none of them should have ended. */
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

    /** The run's key, with its time of use updated. */
    private SecretSeal.Key keyForSealing(RunId run) throws IOException, GeneralSecurityException {
        sealing.readLock().lock();
        try {
            if (!Files.exists(file(run))) {
                return makeKey(run);
            }
            SecretSeal.Key key = unwrap(run);
            Files.setLastModifiedTime(file(run), FileTime.from(clock.instant()));
            return key;
        } finally {
            sealing.readLock().unlock();
        }
    }

    private SecretSeal.Key makeKey(RunId run) throws IOException, GeneralSecurityException {
        SecretSeal.Key key = SecretSeal.Key.random();
        try {
            DurableFiles.create(file(run), SecretSeal.wrap(master, run, key).toByteArray(), DurableFiles.OWNER_ONLY);
            return key;
        } catch (FileAlreadyExistsException madeMeanwhile) {
            // Created by another node that received the same submission: both must seal with one key.
            return unwrap(run);
        }
    }

    private SecretSeal.Key unwrap(RunId run) throws IOException, GeneralSecurityException {
        try {
            return SecretSeal.unwrap(master, run, Blob.of(DurableFiles.read(file(run), WRAPPED_BYTES_MAX)));
        } catch (NoSuchFileException destroyed) {
            throw new KeyDestroyed(run);
        }
    }

    /** A blocking file operation. */
    private interface Work<T> {
        T run() throws IOException, GeneralSecurityException;
    }

    /** Errors name the run and never the sealed values. */
    private <T> CompletionStage<T> work(String what, Work<T> work) {
        try {
            return CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return work.run();
                        } catch (IOException failed) {
                            throw new StoreUnavailable("The vault cannot " + what + ": " + failed.getMessage(), failed);
                        } catch (GeneralSecurityException failed) {
                            throw new StoreUnavailable(
                                    "The vault cannot " + what + ": the key or the sealed secrets are damaged.",
                                    failed);
                        }
                    },
                    executor);
        } catch (RejectedExecutionException overloaded) {
            return CompletableFuture.failedFuture(new StoreUnavailable(
                    "The vault cannot " + what + ": too many operations are waiting.", overloaded));
        }
    }
}
