package dev.vivarium.loadtests.gatling;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.details;
import static io.gatling.javaapi.core.CoreDsl.doIf;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.core.CoreDsl.percent;
import static io.gatling.javaapi.core.CoreDsl.randomSwitch;
import static io.gatling.javaapi.core.CoreDsl.regex;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import dev.vivarium.client.Credentials;
import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.core.ScenarioBuilder;
import io.gatling.javaapi.core.Simulation;
import io.gatling.javaapi.http.HttpProtocolBuilder;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;

/**
 * Clients that each submit a run, at a constant rate whatever the node does: some repeat the submission as after a lost
 * answer; all read the run, follow its events to the end and read its output. Each request has checks, and a failed
 * check fails the simulation; a full node may refuse (429), but accepted runs must end.
 */
public final class RunsSimulation extends Simulation {
    /** System property: the node. */
    public static final String URL = "vivarium.url";

    /** System property: submissions per second. */
    public static final String RATE = "vivarium.rate";

    /** System property: duration of the load. */
    public static final String SECONDS = "vivarium.seconds";

    /** System property: the image of the runs. */
    public static final String IMAGE = "vivarium.image";

    /** The percentage of clients that repeat their submission with the same key. */
    private static final double REPEATED_PERCENT = 20;

    /** The longest time from the last submission until every run has ended. */
    private static final Duration TAIL_MAX = Duration.ofMinutes(2);

    private static final String BODY =
            """
            {"image": "%s", "command": ["echo", "#{key}"], "egress": {"mode": "none"},
             "limits": {"wallClock": "1m", "memory": "64Mi", "disk": "16Mi"}, "labels": {"purpose": "load"}}"""
                    .formatted(System.getProperty(IMAGE, "vivarium/python"));

    private final ChainBuilder submit = exec(session -> session.set("key", "load-" + UUID.randomUUID()))
            .exec(http("submit")
                    .post("/v1/runs")
                    .header("Idempotency-Key", "#{key}")
                    .body(StringBody(BODY))
                    .asJson()
                    .check(status().in(202, 429).saveAs("status"))
                    .checkIf((answer, session) -> answer.status().code() == 202)
                    .then(jsonPath("$.id").saveAs("run")));

    private final ChainBuilder repeat = exec(http("submit again")
            .post("/v1/runs")
            .header("Idempotency-Key", "#{key}")
            .body(StringBody(BODY))
            .asJson()
            .check(status().is(202))
            .check(jsonPath("$.id").isEL("#{run}")));

    private final ChainBuilder read = exec(http("read")
            .get("/v1/runs/#{run}")
            .check(status().is(200), jsonPath("$.id").isEL("#{run}")));

    private final ChainBuilder follow = exec(http("follow events to the end")
            .get("/v1/runs/#{run}/events")
            .header("Accept", "text/event-stream")
            .requestTimeout(TAIL_MAX)
            .check(status().is(200), regex("(?m)^event: RunSucceeded$").count().is(1)));

    private final ChainBuilder ended = exec(http("run has ended")
                    .get("/v1/runs/#{run}")
                    .check(status().is(200), jsonPath("$.status").is("SUCCEEDED")))
            .exec(http("output")
                    .get("/v1/runs/#{run}/output")
                    .check(status().is(200), regex("^(load-[-0-9a-f]{36})$").isEL("#{key}")));

    private final ScenarioBuilder clients = scenario("clients")
            .exec(submit)
            .exec(doIf(session -> session.contains("run"))
                    .then(randomSwitch().on(percent(REPEATED_PERCENT).then(repeat)), read, follow, ended));

    {
        double rate = Double.parseDouble(System.getProperty(RATE, "2"));
        Duration length = Duration.ofSeconds(Long.parseLong(System.getProperty(SECONDS, "30")));
        String url = System.getProperty(URL, "http://127.0.0.1:8080");
        HttpProtocolBuilder node = http.baseUrl(url).acceptHeader("*/*").disableCaching();
        HttpProtocolBuilder known = Credentials.ofProcess(URI.create(url))
                .token()
                .map(token -> node.authorizationHeader("Bearer " + token))
                .orElse(node);
        setUp(clients.injectOpen(constantUsersPerSec(rate).during(length)))
                .protocols(known)
                .maxDuration(length.plus(TAIL_MAX))
                .assertions(
                        global().failedRequests().count().is(0L),
                        // If all were refused, no request would have failed, but nothing would have been tested.
                        details("run has ended").successfulRequests().count().gt(0L));
    }
}
