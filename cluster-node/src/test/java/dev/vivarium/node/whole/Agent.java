package dev.vivarium.node.whole;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import java.util.Arrays;
import java.util.function.Consumer;

/** A submission as a user writes it. Immutable. */
final class Agent {
    private final ObjectNode body;

    private Agent(ObjectNode body) {
        this.body = body;
    }

    /** An agent that runs a Python program, with limits that no test reaches by accident. */
    static Agent python(String program) {
        ObjectNode body = ApiJson.object();
        body.put("image", "vivarium/python");
        body.putArray("command").add("python3").add("-c").add(program);
        body.putObject("egress").put("mode", "none");
        ObjectNode limits = body.putObject("limits");
        limits.put("wallClock", "10m")
                .put("idle", "10m")
                .put("memory", "64Mi")
                .put("disk", "16Mi")
                .put("pids", 32);
        return new Agent(body);
    }

    /** An agent that runs a command, with the same limits. */
    static Agent command(String... words) {
        return python("").with(body -> {
            body.putArray("command");
            Arrays.stream(words).forEach(word -> body.withArray("/command").add(word));
        });
    }

    /** An agent that prints its attempt and then sleeps for longer than any test waits. */
    static Agent sleeper() {
        return python("import os, time; print('attempt', os.environ['VIVARIUM_ATTEMPT'], flush=True); time.sleep(600)");
    }

    Agent image(String name) {
        return with(body -> body.put("image", name));
    }

    /** Calls this for all of its events. */
    Agent webhook(String url) {
        return with(body -> body.putObject("webhook").put("url", url));
    }

    Agent limit(String name, String value) {
        return with(body -> ((ObjectNode) body.get("limits")).put(name, value));
    }

    Agent onNodeLoss(String policy) {
        return with(body -> body.put("onNodeLoss", policy));
    }

    Agent maxAttempts(int attempts) {
        return with(body -> body.put("maxAttempts", attempts));
    }

    Agent secret(String name, String value) {
        return with(body -> body.withObject("/secrets").put(name, value));
    }

    Agent env(String name, String value) {
        return with(body -> body.withObject("/env").put(name, value));
    }

    Agent label(String name, String value) {
        return with(body -> body.withObject("/labels").put(name, value));
    }

    /** The agent with this egress mode, and these hosts for an allowlist. */
    Agent egress(String mode, String... allowed) {
        return with(body -> {
            ObjectNode egress = body.putObject("egress").put("mode", mode);
            if (allowed.length > 0) {
                Arrays.stream(allowed).forEach(egress.putArray("allow")::add);
            }
        });
    }

    /** Makes the gateway add a secret to requests to a host, in a header after a prefix. */
    Agent injecting(String host, String header, String secret, String prefix) {
        return egress("allowlist", host + ":443").with(body -> ((ObjectNode) body.get("egress"))
                .putArray("inject")
                .addObject()
                .put("host", host)
                .put("header", header)
                .put("secret", secret)
                .put("prefix", prefix));
    }

    Agent tenant(String name) {
        return with(body -> body.withObject("/labels").put("tenant", name));
    }

    Agent file(String path, String content) {
        return with(body -> body.withObject("/files").put(path, content));
    }

    private Agent with(Consumer<ObjectNode> change) {
        ObjectNode changed = body.deepCopy();
        change.accept(changed);
        return new Agent(changed);
    }

    /** The body of the request. */
    ObjectNode body() {
        return body.deepCopy();
    }

    String json() {
        return ApiJson.line(body);
    }
}
