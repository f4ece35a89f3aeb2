package dev.vivarium.node.admission;

import dev.vivarium.protocol.run.SecretName;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Command, environment and secrets, checked here against the kernel's limits on a process's start, while the client can
 * still be reported.
 */
final class ProcessFields {
    /** The kernel's MAX_ARG_STRLEN, 128 KiB, without the terminating NUL. */
    static final int MAX_STRING_BYTES = 128 * 1024 - 1;

    /**
     * Arguments and environment together; with the image's own environment they must fit into one frame to the guest (1
     * MiB).
     */
    static final int MAX_TOTAL_BYTES = 512 * 1024;

    private static final int MAX_NAME_BYTES = 255;

    private static final String NAMED = "namedSecrets";

    /** The overhead of each string: a terminating NUL and a pointer. */
    private static final int STRING_OVERHEAD_BYTES = 9;

    private final Fields fields;
    private final Findings findings;
    private long totalBytes;

    ProcessFields(Fields fields, Findings findings) {
        this.fields = fields;
        this.findings = findings;
    }

    List<String> command() {
        if (!fields.has("command")) {
            findings.add(
                    "command",
                    "is required: a run without a command would be a session, and sessions are not available yet");
            return List.of();
        }
        List<String> command = fields.texts("command").orElse(List.of(" "));
        if (command.isEmpty() || command.get(0).isEmpty()) {
            findings.add("command", "must name at least the program to run");
        }
        for (int index = 0; index < command.size(); index++) {
            count("command[" + index + "]", command.get(index));
        }
        return command;
    }

    Map<String, String> env() {
        return variables("env");
    }

    RequestedSecrets secrets(Map<String, String> env) {
        Map<String, Secret> own = new TreeMap<>();
        variables("secrets").forEach((name, value) -> {
            if (env.containsKey(name)) {
                findings.add(fields.pathOf("secrets", name), "is named in env too: name it in one of them");
            }
            own.put(name, new Secret(value));
        });
        Map<String, SecretName> named = namedSecrets();
        named.keySet().stream()
                .filter(variable -> env.containsKey(variable) || own.containsKey(variable))
                .forEach(variable -> findings.add(
                        fields.pathOf(NAMED, variable), "is named in env or secrets too: name it in one of them"));
        return new RequestedSecrets(own, named);
    }

    private Map<String, SecretName> namedSecrets() {
        Map<String, SecretName> named = new TreeMap<>();
        fields.entries(NAMED, (entry, node) -> {
            Optional<String> name = fields.text(entry, node);
            if (name.isPresent() && !SecretName.isValid(name.get())) {
                findings.add(entry.path(), "is the name of a secret, which " + SecretName.RULE);
            } else if (checkName(entry) && name.isPresent()) {
                named.put(entry.name(), new SecretName(name.get()));
            }
        });
        if (named.size() > RequestedSecrets.NAMED_MAX) {
            findings.add(NAMED, "are " + named.size() + "; at most " + RequestedSecrets.NAMED_MAX + " can be given");
        }
        return named;
    }

    /** Call after everything else was read. */
    void checkTotal() {
        if (totalBytes > MAX_TOTAL_BYTES) {
            findings.add(
                    "command",
                    "command, env and secrets are " + totalBytes + " bytes together; at most " + MAX_TOTAL_BYTES
                            + " can be given to a process: put large values into files");
        }
    }

    private Map<String, String> variables(String field) {
        Map<String, String> variables = new TreeMap<>();
        fields.entries(field, (entry, node) -> {
            Optional<String> value = fields.text(entry, node);
            boolean named = checkName(entry);
            if (named && value.isPresent()) {
                count(entry.path(), entry.name() + "=" + value.get());
                variables.put(entry.name(), value.get());
            }
        });
        return variables;
    }

    private boolean checkName(Fields.Entry entry) {
        String name = entry.name();
        if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf('\0') >= 0) {
            findings.add(entry.path(), "the name of an environment variable must not be empty or contain '=' or NUL");
            return false;
        }
        if (utf8Bytes(name) > MAX_NAME_BYTES) {
            findings.add(
                    entry.path(), "the name of an environment variable must be at most " + MAX_NAME_BYTES + " bytes");
            return false;
        }
        return true;
    }

    private void count(String path, String text) {
        int bytes = utf8Bytes(text);
        totalBytes += bytes + STRING_OVERHEAD_BYTES;
        if (text.indexOf('\0') >= 0) {
            findings.add(path, "must not contain a NUL");
        }
        if (bytes > MAX_STRING_BYTES) {
            findings.add(
                    path,
                    "is " + bytes + " bytes; the kernel takes at most " + MAX_STRING_BYTES
                            + " in one argument or variable: put it into a file");
        }
    }

    private static int utf8Bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
