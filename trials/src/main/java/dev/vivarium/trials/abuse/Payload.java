package dev.vivarium.trials.abuse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.LimitKind;
import dev.vivarium.trials.abuse.ImageChange.ImageFile;
import dev.vivarium.trials.agents.Agent;
import dev.vivarium.trials.agents.Expectation;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One hostile payload, as its file declares it. A file begins with a docstring, and the docstring ends with the header:
 *
 * <pre>
 * """Forks without end.
 *
 * Tries: to take all processes that the machine has.
 * Must: be killed at its limit, without an effect on others.
 *
 * limits: pids=32
 * expect: KILLED PIDS
 * """
 * </pre>
 *
 * Keys of the header, each on its own line, continued on indented lines: {@code limits} (those that differ from the
 * suite's), {@code egress} ({@code none} where it is left out, {@code public}, or {@code allowlist} and its destinations),
 * {@code artifacts} (patterns of files to keep), {@code kept} (the files that must be kept, and no others; {@code *} for any,
 * none by default), {@code left-out} (the causes for which matching files must be left out), {@code inject}
 * ({@code HOST HEADER}: the node adds a secret to requests to the host; may be repeated), {@code expect} (required),
 * {@code expect-gvisor} (where that class differs), {@code command} (in place of Python with this file), {@code image} (an
 * instruction of a Dockerfile; may be repeated), {@code image-file} ({@code PATH MODE text|hex CONTENT}; may be repeated) and
 * {@code image-env} ({@code COUNT BYTES}).
 *
 * @param agent its command and its expected result
 * @param tries what it tries, in a sentence
 * @param must what must happen, in a sentence
 * @param image changes of its image
 * @param keeping the files that it wants kept, and those that must be
 * @param expectInGvisor its expected result in that class, if that differs
 */
public record Payload(
        Agent agent,
        String tries,
        String must,
        ImageChange image,
        Keeping keeping,
        Optional<Expectation> expectInGvisor) {
    /** The payloads' shared module: how an attempt is made and reported. */
    static final String SHARED_FILE = "lib/attempt.py";

    /** The shared module of payloads with a network: how a destination is tried. */
    static final String SHARED_BY_NETWORKED = "lib/outside.py";

    /** Small, so that a payload reaches its limits soon; half a processor, so that a neighbour has one too. */
    private static final Map<String, String> LIMITS =
            Map.of("cpu", "500m", "memory", "64Mi", "disk", "16Mi", "pids", "64", "output", "1Mi", "wallClock", "30s");

    private static final List<String> COUNTS = Limit.ALL.stream()
            .filter(limit -> limit.kind() == LimitKind.COUNT)
            .map(Limit::name)
            .toList();

    private static final Pattern DOCSTRING = Pattern.compile("\\A\"\"\"(.*?)\"\"\"\n", Pattern.DOTALL);
    private static final Pattern ENTRY = Pattern.compile("(Tries|Must|[a-z][a-z-]*): (.+)");
    /** The name of the secret that the node adds to requests. */
    private static final String INJECTED = "INJECTED";

    private static final String ARTIFACTS = "artifacts";
    private static final String KEPT = "kept";
    private static final String LEFT_OUT = "left-out";
    private static final String GVISOR = "expect-gvisor";
    private static final List<String> KEYS = List.of(
            "Tries",
            "Must",
            "limits",
            "egress",
            "inject",
            ARTIFACTS,
            KEPT,
            LEFT_OUT,
            "expect",
            GVISOR,
            "command",
            "image",
            "image-file",
            "image-env");
    private static final List<String> REPEATABLE = List.of("inject", "image", "image-file");

    public String name() {
        return agent.name();
    }

    /** Whether it has a network, and so needs hosts to try. */
    public boolean isNetworked() {
        return agent.egress().mode() != EgressPolicy.Mode.NONE;
    }

    /** This payload with its expected result in a class. */
    public Payload in(Isolation isolation) {
        return expectInGvisor
                .filter(other -> isolation == Isolation.GVISOR)
                .map(other -> new Payload(agent.expecting(other), tries, must, image, keeping, Optional.of(other)))
                .orElse(this);
    }

    /**
     * Reads a payload's file.
     *
     * @param name the file's name without its ending
     * @param text the file
     * @throws IllegalArgumentException with the mistake
     */
    static Payload parse(String name, String text) {
        Matcher docstring = DOCSTRING.matcher(text);
        if (!docstring.lookingAt()) {
            throw new IllegalArgumentException("it does not begin with a docstring");
        }
        List<String> lines = docstring.group(1).lines().toList();
        Map<String, List<String>> entries = entries(lines);
        String expect = only(entries, "expect")
                .orElseThrow(() -> new IllegalArgumentException("it does not say what to expect"));
        EgressPolicy egress = egress(only(entries, "egress").orElse("none"), entries.getOrDefault("inject", List.of()));
        Agent agent = new Agent(
                name,
                lines.get(0),
                only(entries, "command")
                        .map(command -> List.of(command.split(" ", -1)))
                        .orElse(List.of("python3", name + ".py")),
                egress.mode() == EgressPolicy.Mode.NONE
                        ? List.of(name + ".py", SHARED_FILE)
                        : List.of(name + ".py", SHARED_FILE, SHARED_BY_NETWORKED),
                "stranger",
                List.copyOf(egress.injectedSecrets()),
                egress,
                limits(only(entries, "limits").orElse("")),
                Expectation.parse(expect));
        return new Payload(
                agent,
                sentence(entries, "Tries"),
                sentence(entries, "Must"),
                image(entries),
                keeping(entries),
                only(entries, GVISOR).map(Expectation::parse));
    }

    /** A line that begins with a key opens an entry, and the following lines up to an empty one belong to it. */
    private static Map<String, List<String>> entries(List<String> lines) {
        Map<String, List<String>> entries = new TreeMap<>();
        List<String> current = new ArrayList<>();
        for (String line : lines) {
            Matcher entry = ENTRY.matcher(line);
            if (entry.matches()) {
                String key = entry.group(1);
                if (!KEYS.contains(key)) {
                    throw new IllegalArgumentException("'" + key + "' is no key of a header");
                }
                current = entries.computeIfAbsent(key, unused -> new ArrayList<>());
                current.add(entry.group(2));
            } else if (line.isBlank()) {
                current = new ArrayList<>();
            } else if (!current.isEmpty()) {
                current.set(current.size() - 1, current.get(current.size() - 1) + " " + line.strip());
            }
        }
        entries.forEach((key, values) -> {
            if (values.size() > 1 && !REPEATABLE.contains(key)) {
                throw new IllegalArgumentException("'" + key + "' occurs twice");
            }
        });
        return entries;
    }

    private static Optional<String> only(Map<String, List<String>> entries, String key) {
        return Optional.ofNullable(entries.get(key)).map(values -> values.get(0));
    }

    private static String sentence(Map<String, List<String>> entries, String key) {
        return only(entries, key)
                .orElseThrow(() -> new IllegalArgumentException("its docstring has no line '" + key + ": …'"));
    }

    private static Map<String, JsonNode> limits(String changed) {
        Map<String, String> all = new TreeMap<>(LIMITS);
        for (String limit : changed.isEmpty() ? new String[0] : changed.split(" +", -1)) {
            int equals = limit.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("a limit is NAME=QUANTITY, and '" + limit + "' is not");
            }
            all.put(limit.substring(0, equals), limit.substring(equals + 1));
        }
        Map<String, JsonNode> limits = new TreeMap<>();
        all.forEach((limit, quantity) -> limits.put(
                limit,
                COUNTS.contains(limit) ? IntNode.valueOf(Integer.parseInt(quantity)) : TextNode.valueOf(quantity)));
        return limits;
    }

    private static EgressPolicy egress(String entry, List<String> inject) {
        List<String> words = List.of(entry.split(" +", -1));
        return new EgressPolicy(
                EgressPolicy.Mode.valueOf(words.get(0).toUpperCase(Locale.ROOT)),
                words.stream().skip(1).map(EgressDestination::parse).toList(),
                inject.stream().map(Payload::injectedHeader).toList());
    }

    private static InjectedHeader injectedHeader(String entry) {
        String[] words = entry.split(" +", -1);
        if (words.length != 2) {
            throw new IllegalArgumentException("an inject is HOST HEADER");
        }
        return new InjectedHeader(HostName.parse(words[0]), words[1], INJECTED, "Bearer ");
    }

    private static Keeping keeping(Map<String, List<String>> entries) {
        Optional<String> artifacts = only(entries, ARTIFACTS);
        if (artifacts.isEmpty() && (entries.containsKey(KEPT) || entries.containsKey(LEFT_OUT))) {
            throw new IllegalArgumentException("it says what is kept, and names no artifacts");
        }
        return artifacts
                .map(patterns -> Keeping.parse(
                        patterns,
                        only(entries, KEPT).orElse(""),
                        only(entries, LEFT_OUT).orElse("")))
                .orElse(Keeping.NOTHING);
    }

    private static ImageChange image(Map<String, List<String>> entries) {
        List<ImageFile> files = entries.getOrDefault("image-file", List.of()).stream()
                .map(Payload::imageFile)
                .toList();
        String[] variables = only(entries, "image-env").orElse("0 0").split(" ", -1);
        return new ImageChange(
                entries.getOrDefault("image", List.of()),
                files,
                Integer.parseInt(variables[0]),
                Integer.parseInt(variables[1]));
    }

    private static ImageFile imageFile(String entry) {
        String[] parts = entry.split(" ", 4);
        if (parts.length < 4 || !parts[0].startsWith("/")) {
            throw new IllegalArgumentException("an image-file is /PATH MODE text|hex CONTENT");
        }
        Blob content =
                switch (parts[2]) {
                    case "text" -> Blob.ofUtf8(parts[3] + "\n");
                    case "hex" -> Blob.of(HexFormat.of().parseHex(parts[3].replace(" ", "")));
                    default -> throw new IllegalArgumentException("an image-file is text or hex, not " + parts[2]);
                };
        return new ImageFile(parts[0], Integer.parseInt(parts[1], 8), content);
    }
}
