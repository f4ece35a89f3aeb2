package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.durable.DurableFiles;
import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The account of the server. PostgreSQL refuses to run as root, so a node that runs as root starts it under an account that
 * nothing else on the machine uses: {@value #NAME} if the operator has created it, otherwise a number that no account and no
 * process has, from the range that systemd reserves for such accounts. Later starts use the account that owns the data. If
 * that is a general-purpose account ({@code nobody}, in earlier versions), a new one is chosen and the data are given to it. A
 * node that does not run as root starts the server under its own account.
 *
 * <p>Where root may not mount (in a container, say), a number without a name cannot be used, and the server falls back to
 * {@code postgres} or {@code nobody}.
 *
 * <p>The server sees a few paths elsewhere, in a separate mount namespace that vanishes with it: its data at
 * {@link #MOUNT_POINT} where a directory above them is closed to the account (a clone in /root, say), and an
 * {@code /etc/passwd} that names the account, which initdb asks for.
 */
final class ServerAccount {
    static final String NAME = "vivarium-store";

    /** Exists on every Linux. */
    private static final Path MOUNT_POINT = Path.of("/mnt");

    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final List<String> SHARED_ACCOUNTS = List.of("postgres", "nobody");
    /** The user ids that systemd assigns to services temporarily; agents' user ids are far above. */
    private static final int UNNAMED_MIN = 61_184;

    private static final int UNNAMED_MAX = 65_519;
    private static final int OTHERS_MAY_ENTER = 01;
    private static final int GROUP_MAY_ENTER = 010;
    private static final int OWNER_MAY_ENTER = 0100;

    /** Numeric user and group of an account. */
    record Ids(int user, int group) {}

    /** Paths that the server sees elsewhere. */
    private record Bind(Path source, Path target) {}

    private final Path base;
    private final Optional<Ids> other;
    private final List<Bind> binds;

    private ServerAccount(Path base, Optional<Ids> other, List<Bind> binds) {
        this.base = base;
        this.other = other;
        this.binds = binds;
    }

    /**
     * The account for a server whose files are below {@code base}, with its data in {@code data}.
     *
     * @throws StoreUnavailable with a sentence for the user if no account is usable
     */
    static ServerAccount choose(Path base, Path data) throws IOException {
        int self = ids(Path.of("/proc/self")).user();
        Optional<Ids> owner = Files.exists(data) ? Optional.of(ids(data)) : Optional.empty();
        if (self != 0) {
            if (owner.isPresent() && owner.get().user() != self) {
                throw new StoreUnavailable("The data in " + data + " belongs to another user ("
                        + owner.get().user()
                        + "): start Vivarium as that user or as root, or choose another data directory.");
            }
            return new ServerAccount(base, Optional.empty(), List.of());
        }
        return mayMount() ? dedicated(base, owner) : shared(base, owner);
    }

    private static ServerAccount dedicated(Path base, Optional<Ids> owner) throws IOException {
        Accounts accounts = Accounts.of(PASSWD);
        Optional<Ids> named = accounts.named(NAME);
        Optional<Ids> kept = owner.filter(ids -> ids.user() != 0)
                .filter(ids -> named.equals(Optional.of(ids)) || accounts.isUnnamed(ids.user()))
                .or(() -> named);
        Ids account = kept.isPresent() ? kept.get() : unnamed(base, accounts);
        List<Bind> binds = new ArrayList<>();
        if (accounts.isUnnamed(account.user())) {
            Path passwd = base.resolve("conf").resolve("passwd");
            DurableFiles.createPublicDirectory(base.resolve("conf"));
            DurableFiles.write(passwd, Accounts.line(NAME, account), Accounts.WORLD_READABLE);
            binds.add(new Bind(passwd, PASSWD));
        }
        if (!mayEnter(account, base)) {
            binds.add(new Bind(base, MOUNT_POINT));
        }
        return new ServerAccount(base, Optional.of(account), List.copyOf(binds));
    }

    /** The number depends on the directory, so that two installations on a machine rarely try the same one first. */
    private static Ids unnamed(Path base, Accounts accounts) throws IOException {
        Set<Integer> running = Accounts.running();
        int count = UNNAMED_MAX - UNNAMED_MIN + 1;
        int first = Math.floorMod(base.toString().hashCode(), count);
        return IntStream.range(0, count)
                .map(step -> UNNAMED_MIN + (first + step) % count)
                .filter(user -> accounts.isUnnamed(user) && !running.contains(user))
                .mapToObj(user -> new Ids(user, user))
                .findFirst()
                .orElseThrow(() -> new StoreUnavailable("PostgreSQL cannot run as root, and no user between "
                        + UNNAMED_MIN + " and " + UNNAMED_MAX + " is free: make the user " + NAME
                        + " for it (useradd --system " + NAME + ")."));
    }

    private static ServerAccount shared(Path base, Optional<Ids> owner) throws IOException {
        Accounts accounts = Accounts.of(PASSWD);
        Ids account = owner.filter(ids -> ids.user() != 0)
                .or(() -> accounts.named(NAME))
                .or(() -> SHARED_ACCOUNTS.stream()
                        .flatMap(name -> accounts.named(name).stream())
                        .findFirst())
                .orElseThrow(() -> new StoreUnavailable("PostgreSQL cannot run as root, and this machine has none of"
                        + " the users " + NAME + ", " + String.join(", ", SHARED_ACCOUNTS)
                        + ": start Vivarium as an unprivileged user."));
        if (!mayEnter(account, base)) {
            throw new StoreUnavailable("PostgreSQL cannot run as root, and no other user may enter " + base
                    + ": choose a data directory that every user may enter, such as --data /var/lib/vivarium.");
        }
        return new ServerAccount(base, Optional.of(account), List.of());
    }

    /** Gives a file or directory to the account. */
    void own(Path path) throws IOException {
        if (other.isPresent()) {
            Files.setAttribute(path, "unix:uid", other.get().user(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", other.get().group(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** Whether the path is the account's. */
    boolean owns(Path path) throws IOException {
        return other.isEmpty() || ids(path).user() == other.get().user();
    }

    /**
     * Changes the owner of the data to the account. No server may be using them. The directory is first, so that the former
     * owner loses access to everything below.
     */
    void takeOver(Path data) throws IOException {
        Files.walkFileTree(data, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                own(directory);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                own(file);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** A path below the base as the server sees it. */
    String seen(Path path) {
        boolean moved = path.startsWith(base)
                && binds.stream().anyMatch(bind -> bind.source().equals(base));
        return (moved ? MOUNT_POINT.resolve(base.relativize(path)) : path).toString();
    }

    /**
     * A command that runs as the account and gets the death signal when the thread that started it ends, at the latest with
     * this JVM, however that ends. It remains one process: each program execs the next.
     */
    List<String> command(String deathSignal, List<String> command) {
        List<String> full = new ArrayList<>();
        if (!binds.isEmpty()) {
            full.addAll(List.of("unshare", "--mount", "--propagation", "private", "sh", "-c"));
            full.addAll(List.of(
                    "while [ \"$1\" != -- ]; do mount --bind \"$1\" \"$2\" && shift 2 || exit 1; done; shift; exec \"$@\"",
                    "sh"));
            binds.forEach(bind ->
                    full.addAll(List.of(bind.source().toString(), bind.target().toString())));
            full.add("--");
        }
        full.add("setpriv");
        other.ifPresent(
                ids -> full.addAll(List.of("--reuid", "" + ids.user(), "--regid", "" + ids.group(), "--clear-groups")));
        full.addAll(List.of("--no-new-privs", "--pdeathsig", deathSignal, "--"));
        full.addAll(command);
        return full;
    }

    private static Ids ids(Path path) throws IOException {
        return new Ids(attribute(path, "uid"), attribute(path, "gid"));
    }

    private static int attribute(Path path, String name) throws IOException {
        return Files.getAttribute(path, "unix:" + name) instanceof Integer value ? value : 0;
    }

    private static boolean mayEnter(Ids account, Path directory) throws IOException {
        for (Path ancestor = directory; ancestor != null; ancestor = ancestor.getParent()) {
            Ids owner = ids(ancestor);
            int needed = account.user() == owner.user()
                    ? OWNER_MAY_ENTER
                    : account.group() == owner.group() ? GROUP_MAY_ENTER : OTHERS_MAY_ENTER;
            if ((attribute(ancestor, "mode") & needed) == 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean mayMount() {
        try {
            Commands.run("unshare", "--mount", "--propagation", "private", "true");
            return true;
        } catch (IOException forbidden) {
            return false;
        }
    }
}
