package dev.vivarium.node.machine;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Versions of Debian's and Ubuntu's packages, which fix holes without a new upstream version. */
final class PackageVersion {
    private static final Pattern EPOCH = Pattern.compile("^\\d+:");
    private static final Pattern LAST_NUMBER = Pattern.compile("(\\d{1,9})(?!.*\\d)");
    private static final Pattern NUMBER = Pattern.compile("^\\d{1,9}");

    private PackageVersion() {}

    /** The version without its epoch. */
    static String plain(String version) {
        return EPOCH.matcher(version).replaceFirst("");
    }

    /** Whether a package has the version that the program reports; the running program may come from elsewhere. */
    static boolean isOf(String packageVersion, String reported) {
        return !reported.isEmpty() && plain(packageVersion).startsWith(reported);
    }

    /**
     * Whether a package is the fixed one or a later one of the same series: 1.1.5+ds1-1+deb12u2 is later than
     * 1.1.5+ds1-1+deb12u1, and 1.1.5+ds1-4 is another series, which the list does not cover.
     */
    static boolean isAtLeast(String installed, String mended) {
        Matcher last = LAST_NUMBER.matcher(mended);
        if (!last.find()) {
            return false;
        }
        String plain = plain(installed);
        String series = mended.substring(0, last.start());
        if (!plain.startsWith(series)) {
            return false;
        }
        Matcher number = NUMBER.matcher(plain.substring(series.length()));
        return number.find() && Integer.parseInt(number.group()) >= Integer.parseInt(last.group(1));
    }
}
