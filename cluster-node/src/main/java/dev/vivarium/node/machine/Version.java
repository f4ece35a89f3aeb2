package dev.vivarium.node.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version in the notations of container software: 1.1.5, 1.4.0-rc.3, v29.5.1, release-20240729.0, and of Debian
 * (1.0.0~rc93+ds1, 0.0~20221219.0). A candidate is older than its release; the packager's suffix is ignored.
 *
 * @param numbers the numbers between dots, without trailing zeros
 * @param stage alpha, beta, candidate or release
 * @param candidate its number within the stage; 0 without one
 */
record Version(List<Integer> numbers, Stage stage, int candidate) implements Comparable<Version> {
    /** In order of time. */
    enum Stage {
        ALPHA,
        BETA,
        RC,
        RELEASE
    }

    private static final Pattern FORM = Pattern.compile(
            "(?:v|release-|0\\.0~(?=\\d{8}))?(\\d{1,9}(?:\\.\\d{1,9}){0,5})(?:[-~.]?(alpha|beta|rc)[-.]?(\\d{1,6})?)?(?![0-9]).*");

    Version {
        numbers = List.copyOf(numbers);
    }

    /** The version at the beginning of a text; empty if there is none. */
    static Optional<Version> of(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            return Optional.empty();
        }
        List<Integer> numbers = new ArrayList<>();
        for (String number : form.group(1).split("\\.", -1)) {
            numbers.add(Integer.parseInt(number));
        }
        while (numbers.size() > 1 && numbers.get(numbers.size() - 1) == 0) {
            numbers.remove(numbers.size() - 1);
        }
        String stage = form.group(2);
        String candidate = form.group(3);
        return Optional.of(new Version(
                numbers,
                stage == null ? Stage.RELEASE : Stage.valueOf(stage.toUpperCase(Locale.ROOT)),
                candidate == null ? 0 : Integer.parseInt(candidate)));
    }

    @Override
    public int compareTo(Version other) {
        int length = Math.max(numbers.size(), other.numbers.size());
        for (int place = 0; place < length; place++) {
            int order = Integer.compare(number(place), other.number(place));
            if (order != 0) {
                return order;
            }
        }
        int order = stage.compareTo(other.stage);
        return order != 0 ? order : Integer.compare(candidate, other.candidate);
    }

    private int number(int place) {
        return place < numbers.size() ? numbers.get(place) : 0;
    }
}
