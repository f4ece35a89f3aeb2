package dev.vivarium.terminal;

import java.util.Optional;
import picocli.CommandLine;

/** The version of Vivarium. */
public final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"vivarium " + number()};
    }

    /** The version of the build, or a word for one that was not packaged. */
    public static String number() {
        return Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
                .orElse("development build");
    }
}
