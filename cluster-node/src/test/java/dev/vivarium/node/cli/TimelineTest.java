package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TimelineTest {
    private static final String RUN = "01jd4h5s2m8x7k9q3v6w0t1y2z";

    @Test
    void aRunsStoryCanBeReadAloudWithTheTimesBetween() {
        List<String> lines = Timeline.of(Stream.of(
                        event(
                                "RunSubmitted",
                                "12:00:00Z",
                                "'by':'local:operator','spec':{'image':'vivarium/python',"
                                        + "'command':['python3','-c','print(1)']}"),
                        event("AttemptStarting", "12:00:00.020Z", "'attempt':1"),
                        event("AttemptStarted", "12:00:00.070Z", "'attempt':1,'start':{'birth':'WARM'}"),
                        event(
                                "EgressDenied",
                                "12:00:01Z",
                                "'attempt':1,'total':7,'destinations':1,"
                                        + "'mostTried':[{'destination':'169.254.169.254','port':80,'count':7}]"),
                        event(
                                "AlarmRaised",
                                "12:00:05.070Z",
                                "'attempt':1,'reason':'WALL_CLOCK','consequence':'KILL',"
                                        + "'measurement':{'measured':5000,'limit':5000,'unit':'MILLIS'}"),
                        event(
                                "RunKilled",
                                "12:00:05.080Z",
                                "'attempt':1,'reason':'WALL_CLOCK','measurement':"
                                        + "{'measured':5003,'limit':5000,'unit':'MILLIS'},'usage':{'wallMillis':5003,"
                                        + "'cpuMillis':4990,'memoryPeakBytes':1048576}"))
                .map(TimelineTest::json)
                .toList());

        assertThat(lines.get(0)).isEqualTo("Run " + RUN);
        assertThat(lines.get(1))
                .endsWith("local:operator submitted it to node-1, to run python3 -c 'print(1)' in vivarium/python.");
        assertThat(lines.get(2)).contains("+20 ms").endsWith("Attempt 1 began on node-1.");
        assertThat(lines.get(3)).endsWith("The agent ran, in a sandbox that waited for it.");
        assertThat(lines.get(4)).endsWith("It was kept from 1 destinations, 7 times so far: 169.254.169.254 port 80.");
        assertThat(lines.get(5)).contains("It reached the limit WALL_CLOCK").endsWith("killed its processes.");
        assertThat(lines.get(6))
                .contains("It was killed for WALL_CLOCK")
                .contains("of processor time and at most 1 MiB of memory.");
    }

    @Test
    void whoDidItIsToldWithItsTokenAndAddress() {
        String by = "'by':'token:ci','origin':{'tenant':'blue','token':%s,'address':%s}";

        assertThat(Stream.of(
                                by.formatted("'0123456789abcdef'", "'2001:db8::7'"),
                                by.formatted("null", "'192.0.2.7'"),
                                by.formatted("null", "null"),
                                "'by':'token:ci','origin':null")
                        .map(data -> Timeline.sentence(json(event("CancelRequested", "12:00:00Z", data)))))
                .containsExactly(
                        "token:ci (token 0123456789abcdef, from 2001:db8::7) asked to stop it.",
                        "token:ci (from 192.0.2.7) asked to stop it.",
                        "token:ci asked to stop it.",
                        "token:ci asked to stop it.");
    }

    @Test
    void anAdministrativeActIsASentenceToo() {
        String by = "'by':'token:ops','origin':{'tenant':'blue','token':null,'address':'192.0.2.7'}";

        assertThat(Stream.of(
                                event("NodeJoined", "12:00:00Z", "'address':null"),
                                event("NodeRemoved", "12:00:00Z", "'removed':'b','address':'h:1','removal':'GIVEN_UP'"),
                                event(
                                        "QuotasSet",
                                        "12:00:00Z",
                                        by
                                                + ",'tenant':'red','amounts':{'memory':1073741824,'runs':9223372036854775807,"
                                                + "'later':7},'reset':['disk']"),
                                event(
                                        "DataDeleted",
                                        "12:00:00Z",
                                        "'tenant':'red','data':'OUTPUT','runs':7,'kept':'720h'"),
                                event(
                                        "RunsDeleted",
                                        "12:00:00Z",
                                        "'tenant':'red','kept':'720h','positions':'3-7,9','runs':[{'run':'a'},{'run':'b'}]"),
                                event(
                                        "RunDataDeleted",
                                        "12:00:00Z",
                                        by + ",'tenant':'red','run':'01k0','data':'ARTIFACTS'"),
                                event("BlobDeleted", "12:00:00Z", by + ",'tenant':'red','digest':'ab12'"),
                                event("HoldPut", "12:00:00Z", by + ",'tenant':'red','reason':'case 4711'"),
                                event("HoldPut", "12:00:00Z", by + ",'tenant':'red','reason':null"),
                                event("HoldRemoved", "12:00:00Z", by + ",'tenant':'red'"),
                                event("LogExported", "12:00:00Z", by + ",'tenants':[],'from':1,'to':7"))
                        .map(event -> Timeline.sentence(json(event))))
                .containsExactly(
                        "The node started, alone.",
                        "Node b at h:1 was given up: the cluster could not reach it.",
                        "token:ops (from 192.0.2.7) set quotas of tenant red: memory 1Gi, runs unlimited, later 7,"
                                + " disk as configured.",
                        "The node deleted the output of 7 runs of tenant red, 720h after they had ended.",
                        "The node deleted 2 runs of tenant red with their events (positions 3-7,9), 720h after they had"
                                + " ended.",
                        "token:ops (from 192.0.2.7) had the artifacts of run 01k0 of tenant red deleted.",
                        "token:ops (from 192.0.2.7) had the content ab12 of tenant red deleted.",
                        "token:ops (from 192.0.2.7) put tenant red under a legal hold: case 4711.",
                        "token:ops (from 192.0.2.7) put tenant red under a legal hold.",
                        "token:ops (from 192.0.2.7) removed the legal hold of tenant red.",
                        "token:ops (from 192.0.2.7) took an export of the events from position 1 to 7, of all tenants.");
    }

    @Test
    void anEventOfANewerNodeIsNamed() {
        assertThat(Timeline.sentence(json(event("RunTeleported", "12:00:00Z", "'to':'mars'"))))
                .isEqualTo("RunTeleported.");
    }

    private static String event(String type, String time, String data) {
        return "{'run':'" + RUN + "','type':'" + type + "','at':'2026-01-01T" + time + "','node':'node-1','data':{"
                + data + "}}";
    }

    private static JsonNode json(String text) {
        try {
            return ApiJson.parse(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        } catch (com.fasterxml.jackson.core.JsonProcessingException mistake) {
            throw new AssertionError(mistake);
        }
    }
}
