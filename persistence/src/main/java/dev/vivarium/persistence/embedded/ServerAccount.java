package dev.vivarium.persistence.embedded;

import dev.vivarium.persistence.journal.StoreUnavailable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whom the server runs as, and how it gets there. PostgreSQL refuses to run as root, so a node that is root hands the
 * server to an unprivileged account of the machine: the owner of existing data, or {@code postgres}, or {@code nobody}
 * (in this order, because {@code nobody} is shared with other daemons). Any other node runs it as itself.
 *
 * <p>The account must be able to reach the data. Where a directory above is closed to it (a clone in /root, say), the
 * server gets a mount namespace of its own in which the data appears at {@link #MOUNT_POINT}; nothing on the machine
 * changes its permissions, and the mount vanishes with the server.
 */
final class ServerAccount {
    /** Exists on every Linux, and whatever else is mounted there stays visible to everybody but the server. */
    private static final Path MOUNT_POINT = Path.of("/mnt");

    private static final List<String> CANDIDATES = List.of("postgres", "nobody");
    private static final int OTHERS_MAY_ENTER = 01;
    private static final int GROUP_MAY_ENTER = 010;
    private static final int OWNER_MAY_ENTER = 0100;

    /** Numeric user and group of an account. */
    record Ids(int user, int group) {}

    private final Path base;
    private final Optional<Ids> other;
    private final boolean mounted;

    private ServerAccount(Path base, Optional<Ids> other, boolean mounted) {
        this.base = base;
        this.other = other;
        this.mounted = mounted;
    }

    /**
     * The account for a server whose files are below {@code base}, with its data in {@code data}.
     *
     * @throws StoreUnavailable with a sentence for the user when there is no way
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
            return new ServerAccount(base, Optional.empty(), false);
        }
        Ids account = owner.filter(ids -> ids.user() != 0).orElseGet(ServerAccount::unprivileged);
        boolean mounted = !mayEnter(account, base);
        if (mounted) {
            requireMounts(base);
        }
        return new ServerAccount(base, Optional.of(account), mounted);
    }

    /** Gives a file or directory to the account. */
    void own(Path path) throws IOException {
        if (other.isPresent()) {
            Files.setAttribute(path, "unix:uid", other.get().user(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", other.get().group(), LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** A path below the base as the server sees it. */
    String seen(Path path) {
        return (mounted ? MOUNT_POINT.resolve(base.relativize(path)) : path).toString();
    }

    /**
     * A command that runs as the account and gets the signal when the thread that started it ends, so at the latest when
     * this JVM does, however it does. It stays one process all the way: each program becomes the next.
     */
    List<String> command(String deathSignal, List<String> command) {
        List<String> full = new ArrayList<>();
        if (mounted) {
            full.addAll(List.of("unshare", "--mount", "--propagation", "private", "sh", "-c"));
            full.addAll(List.of("mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"", "sh"));
            full.addAll(List.of(base.toString(), MOUNT_POINT.toString()));
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

    private static Ids unprivileged() {
        return CANDIDATES.stream()
                .flatMap(name -> account(name).stream())
                .findFirst()
                .orElseThrow(
                        () -> new StoreUnavailable("PostgreSQL cannot run as root, and this machine has none of the"
                                + " users " + CANDIDATES + ": start Vivarium as an unprivileged user."));
    }

    private static Optional<Ids> account(String name) {
        try (var lines = Files.lines(Path.of("/etc/passwd"))) {
            return lines.map(line -> line.split(":", -1))
                    .filter(fields -> fields.length >= 4 && fields[0].equals(name))
                    .map(fields -> new Ids(Integer.parseInt(fields[2]), Integer.parseInt(fields[3])))
                    .filter(ids -> ids.user() != 0)
                    .findFirst();
        } catch (IOException | NumberFormatException unreadable) {
            return Optional.empty();
        }
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

    private static void requireMounts(Path base) {
        try {
            Commands.run("unshare", "--mount", "--propagation", "private", "true");
        } catch (IOException forbidden) {
            throw new StoreUnavailable(
                    "PostgreSQL cannot run as root, and no other user may enter " + base
                            + ": choose a data directory that everybody may enter, such as --data /var/lib/vivarium.",
                    forbidden);
        }
    }
}
