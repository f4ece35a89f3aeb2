package dev.vivarium.node.machine;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;

/**
 * The known holes, from {@code known-holes.conf}.
 *
 * @param date the day of the list; it lacks later holes
 * @param holes its rows
 */
record KnownHoles(LocalDate date, List<KnownHole> holes) {
    private static final String RESOURCE = "dev/vivarium/node/machine/known-holes.conf";

    KnownHoles {
        holes = List.copyOf(holes);
    }

    /** The list of this build. */
    static KnownHoles read() {
        Config list = ConfigFactory.parseResources(KnownHoles.class.getClassLoader(), RESOURCE)
                .resolve();
        return new KnownHoles(
                LocalDate.parse(list.getString("date")),
                list.getConfigList("holes").stream().map(KnownHole::from).toList());
    }

    /** The findings about the installed components, worst first. */
    List<Finding> in(List<Installed> installed) {
        return installed.stream()
                .flatMap(each -> holes.stream().filter(hole -> hole.isIn(each)).map(hole -> hole.finding(each)))
                .sorted(Comparator.comparing(Finding::level).reversed())
                .toList();
    }
}
