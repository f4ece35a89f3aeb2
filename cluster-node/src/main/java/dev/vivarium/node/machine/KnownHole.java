package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import java.util.List;
import java.util.Locale;

/**
 * A published hole in a component.
 *
 * @param id its public identifier
 * @param component the affected component
 * @param affected the affected versions
 * @param patched packages of distributions with one of these versions and the fix
 * @param reach from where it can be exploited
 * @param allows what it allows an attacker
 * @param remedy what to do
 */
record KnownHole(
        String id,
        Component component,
        List<VersionRange> affected,
        List<String> patched,
        Reach reach,
        String allows,
        String remedy) {
    /** From where a hole can be exploited, and so how much it matters to a node. */
    enum Reach {
        /** A program in a sandbox. */
        AGENT(Level.PROBLEM),
        /** The author of a run's image. */
        IMAGE(Level.WARNING),
        /** No sandbox: Vivarium refuses the calls that it needs. */
        FILTERED(Level.NOTE),
        /** Not from sandboxes, but by users of the host or clients of the engine. */
        ENGINE(Level.NOTE);

        private final Level level;

        Reach(Level level) {
            this.level = level;
        }

        Level level() {
            return level;
        }
    }

    KnownHole {
        affected = List.copyOf(affected);
        patched = List.copyOf(patched);
        if (affected.isEmpty()) {
            throw new IllegalArgumentException(id + " affects no version.");
        }
    }

    static KnownHole from(Config row) {
        return new KnownHole(
                row.getString("id"),
                Component.valueOf(row.getString("component").toUpperCase(Locale.ROOT)),
                row.getStringList("affected").stream().map(VersionRange::of).toList(),
                row.getStringList("patched"),
                Reach.valueOf(row.getString("reach").toUpperCase(Locale.ROOT)),
                row.getString("allows"),
                row.getString("do"));
    }

    boolean isIn(Installed installed) {
        return installed.component() == component
                && installed.comparable().filter(this::affects).isPresent()
                && !installed.mended().contains(id)
                && installed.packageVersion().stream()
                        .noneMatch(has -> patched.stream().anyMatch(mended -> PackageVersion.isAtLeast(has, mended)));
    }

    private boolean affects(Version version) {
        return affected.stream().anyMatch(range -> range.contains(version));
    }

    Finding finding(Installed installed) {
        return new Finding(reach.level(), component.word(), installed.title() + " has " + id + ". " + allows, remedy);
    }
}
