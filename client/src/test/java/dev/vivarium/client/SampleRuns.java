package dev.vivarium.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.protocol.api.RunView;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Runs as shown by a node. */
public final class SampleRuns {
    public static final String ID = "01hzy3v7m9e5q8r2t4w6x0abcd";

    private SampleRuns() {}

    private static final String RUN =
            """
            {"id":"01hzy3v7m9e5q8r2t4w6x0abcd","status":"RUNNING","reason":null,"measurement":null,"exitCode":null,
             "failure":null,"attempt":1,"node":"node-1","submittedAt":"2026-01-01T00:00:00Z",
             "startedAt":"2026-01-01T00:00:01Z","cancelRequestedAt":null,"finishedAt":null,"usage":null,
             "spec":{"image":"vivarium/python","command":["python3","a.py"],"env":{"A":"1"},"secrets":["KEY"],
               "workdir":"/workspace","files":{"a.py":{"mode":"0644","size":17,
                 "digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
               "limits":{"wallClock":"5m","idle":"60s","cpu":"500m","cpuTime":"2m","memory":"256Mi","pids":128,
                 "disk":"512Mi","output":"10Mi","egressRequests":1000,"egressBytes":"1Gi"},
               "egress":{"mode":"none"},"isolation":"container","onNodeLoss":"restart","maxAttempts":3,
               "labels":{"team":"research"}},"somethingNewer":true}""";

    private static final String USAGE =
            """
            {"wallMillis":5003,"cpuMillis":4990,"memoryPeakBytes":12897485,"diskPeakBytes":17,"outputBytes":3,"pidsPeak":2}""";

    public static String running() {
        return RUN;
    }

    public static String succeeded() {
        return ended("SUCCEEDED", "\"exitCode\":0");
    }

    public static String failed(int exitCode) {
        return ended("FAILED", "\"exitCode\":" + exitCode);
    }

    public static String killed(String reason, String measurement) {
        return ended("KILLED", "\"reason\":\"" + reason + "\",\"measurement\":" + measurement);
    }

    public static String cancelled() {
        return ended("CANCELLED", "\"reason\":\"CANCELLED\"");
    }

    public static String lost(String reason) {
        return ended("LOST", "\"reason\":\"" + reason + "\"");
    }

    public static String notStarted(String kind, String message) {
        return ended("FAILED", "\"failure\":{\"kind\":\"" + kind + "\",\"message\":\"" + message + "\"}");
    }

    /** A run that has ended, with the given fields. */
    private static String ended(String status, String fields) {
        ObjectNode run = (ObjectNode) tree(RUN);
        run.put("status", status);
        run.put("finishedAt", "2026-01-01T00:00:06.003Z");
        run.set("usage", tree(USAGE));
        run.setAll((ObjectNode) tree("{" + fields + "}"));
        return ApiJson.line(run);
    }

    public static RunView view(String json) {
        try {
            return ApiJson.as(tree(json), RunView.class);
        } catch (com.fasterxml.jackson.core.JsonProcessingException malformed) {
            throw new AssertionError(malformed);
        }
    }

    /** One line of output. */
    public static String chunk(String stream, long offset, String text) {
        return "{\"stream\":\"" + stream + "\",\"attempt\":1,\"offset\":" + offset
                + ",\"time\":\"2026-01-01T00:00:02Z\",\"data\":\""
                + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)) + "\"}\n";
    }

    /** One event, as the API shows it. */
    public static String event(long seq, String type, String data) {
        return "{\"run\":\"" + ID + "\",\"seq\":" + seq + ",\"type\":\"" + type
                + "\",\"at\":\"2026-01-01T00:00:0" + seq + "Z\",\"node\":\"node-1\",\"data\":" + data
                + ",\"previousHash\":\"00\",\"hash\":\"01\"}";
    }

    /** The event as a server-sent event. */
    public static String sent(long seq, String type) {
        return "id: " + seq + "\nevent: " + type + "\ndata: " + event(seq, type, "{\"attempt\":1}") + "\n\n";
    }

    private static JsonNode tree(String json) {
        try {
            return ApiJson.parse(json.getBytes(StandardCharsets.UTF_8));
        } catch (com.fasterxml.jackson.core.JsonProcessingException malformed) {
            throw new AssertionError(malformed);
        }
    }
}
