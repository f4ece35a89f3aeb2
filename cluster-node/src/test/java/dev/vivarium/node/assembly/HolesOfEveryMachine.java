package dev.vivarium.node.assembly;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A list of known holes that any version has, of every component: that of the kernel matches where its version is the makers'
 * (not Ubuntu's or RHEL's), and then one of the engine's does.
 */
public final class HolesOfEveryMachine {
    public static final String ID = "CVE-2031-000";
    public static final String REMEDY = "Update it to the version after this one.";

    private HolesOfEveryMachine() {}

    /** Writes the list into the folder. */
    public static Path in(Path folder) throws IOException {
        String holes = List.of("kernel", "engine", "containerd", "runc", "crun", "runsc").stream()
                .map(component ->
                        """
                        { id = %s, component = %s, reach = agent, affected = ["0 .. 9999.0"], patched = []
                          allows = "An agent of the test leaves its sandbox.", do = "%s" }
                        """
                                .formatted(ID, component, REMEDY))
                .collect(Collectors.joining());
        return Files.writeString(folder.resolve("holes.conf"), "date = \"2031-01-02\"\nholes = [\n" + holes + "]\n");
    }
}
