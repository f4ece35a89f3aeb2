package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import java.io.File;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The known holes, from {@code known-holes.conf} and the operator's own list.
 *
 * @param date the day of the list; it lacks later holes
 * @param holes its rows
 */
record KnownHoles(LocalDate date, List<KnownHole> holes) {
    private static final String RESOURCE = "dev/vivarium/node/machine/known-holes.conf";
    private static final String MORE_KEY = "machine.more-known-holes";

    KnownHoles {
        holes = List.copyOf(holes);
    }

    /** The list of this build. */
    static KnownHoles read() {
        return of(ConfigFactory.parseResources(KnownHoles.class.getClassLoader(), RESOURCE)
                .resolve());
    }

    /**
     * The list of this build and the operator's own, with the later date.
     *
     * @param vivarium the block {@code vivarium}
     * @throws ConfigException for an operator's list that cannot be read, with the reason
     */
    static KnownHoles read(Config vivarium) {
        String file = vivarium.getString(MORE_KEY);
        if (file.isEmpty()) {
            return read();
        }
        try {
            return read().and(of(ConfigFactory.parseFile(
                            new File(file), ConfigParseOptions.defaults().setAllowMissing(false))
                    .resolve()));
        } catch (ConfigException | IllegalArgumentException | DateTimeParseException invalid) {
            throw new ConfigException.BadValue(
                    vivarium.getValue(MORE_KEY).origin(),
                    "vivarium." + MORE_KEY,
                    file + " is no list of known holes: " + invalid.getMessage(),
                    invalid);
        }
    }

    private static KnownHoles of(Config list) {
        return new KnownHoles(
                LocalDate.parse(list.getString("date")),
                list.getConfigList("holes").stream().map(KnownHole::from).toList());
    }

    private KnownHoles and(KnownHoles more) {
        return new KnownHoles(
                more.date.isAfter(date) ? more.date : date,
                Stream.concat(holes.stream(), more.holes.stream()).toList());
    }

    /** The findings about the installed components, worst first. */
    List<Finding> in(List<Installed> installed) {
        return installed.stream()
                .flatMap(each -> holes.stream().filter(hole -> hole.isIn(each)).map(hole -> hole.finding(each)))
                .sorted(Comparator.comparing(Finding::level).reversed())
                .toList();
    }
}
