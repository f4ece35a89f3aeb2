package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.admission.Samples;
import dev.vivarium.node.doubles.ListedActs;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.act.Act;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.Usage;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Deletion of what is kept, on request, over HTTP. */
class DeletionRoutesTest {
    private static final Tenant RESEARCH = new Tenant("research");
    private static final Blob FILE = Blob.ofUtf8("a result");
    private static final Digest DIGEST = Digest.of(FILE);

    private final TestApi api = new TestApi("");
    private final String submitter = api.token(Role.SUBMITTER, "research");

    @AfterEach
    void close() {
        api.close();
    }

    @Test
    void whatARunPrintedIsDeletedOnceItHasEndedAndOnRecordOnce() {
        RunId run = printed();
        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(409);
        end(run);

        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(204);
        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(204);

        assertThat(get("/v1/runs/" + run + "/output").statusCode()).isEqualTo(410);
        assertThat(get("/v1/runs/" + run).statusCode()).isEqualTo(200);
        assertThat(deletions()).singleElement().isInstanceOfSatisfying(Act.RunDataDeleted.class, act -> {
            assertThat(act.at()).isEqualTo(ListedActs.AT);
            assertThat(act.run()).isEqualTo(run);
            assertThat(act.tenant()).isEqualTo(RESEARCH);
            assertThat(act.data()).isEqualTo(Act.Data.OUTPUT);
            assertThat(act.by().kind()).isEqualTo(Principal.Kind.TOKEN);
        });
    }

    @Test
    void outputOfEarlierAttemptsOnlyIsKnownToBeDeletedAsWell() {
        RunId run = printed();
        api.runs.happen(run, new RunEvent.RunSucceeded(ListedActs.AT, "node-1", 1, Usage.NONE));
        assertThat(get("/v1/runs/" + run + "/output").body()).isEqualTo("hello");

        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(204);

        assertThat(get("/v1/runs/" + run + "/output").statusCode()).isEqualTo(410);
    }

    @Test
    void keptFilesAreLetGoOfAndThenTheirContentsCanBeDeleted() {
        RunId run = printed();
        api.blobs.write(RESEARCH, FILE);
        api.blobs.keep(RESEARCH, Set.of(DIGEST), run);
        end(run);

        HttpResponse<String> inUse = delete(submitter, "/v1/blobs/" + DIGEST);
        assertThat(inUse.statusCode()).isEqualTo(409);
        assertThat(TestApi.json(inUse).path("type").asText()).endsWith("/blob-in-use");
        assertThat(deletions()).isEmpty();
        assertThat(delete(submitter, "/v1/runs/" + run + "/artifacts").statusCode())
                .isEqualTo(204);
        assertThat(api.blobs.heldBy(run)).isEmpty();
        assertThat(delete(submitter, "/v1/blobs/" + DIGEST).statusCode()).isEqualTo(204);
        assertThat(delete(submitter, "/v1/blobs/" + DIGEST).statusCode()).isEqualTo(404);
        assertThat(api.blobs.count()).isZero();
    }

    @Test
    void nothingOfATenantUnderAHoldIsDeletedAndNothingIsOnRecord() {
        RunId run = ended();
        api.blobs.write(RESEARCH, FILE);
        api.holds.put(new LegalHold(RESEARCH, Optional.empty(), Principal.LOCAL_OPERATOR, ListedActs.AT));

        for (String path : List.of("/v1/runs/" + run + "/output", "/v1/blobs/" + DIGEST)) {
            HttpResponse<String> held = delete(submitter, path);
            assertThat(held.statusCode()).isEqualTo(409);
            assertThat(TestApi.json(held).path("type").asText()).endsWith("/held");
        }
        assertThat(deletions()).isEmpty();

        api.holds.remove(RESEARCH);
        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(204);
    }

    @Test
    void aHoldOfTheConfigurationCountsAsWell() {
        Tenant held = new Tenant("held-by-configuration");
        api.blobs.write(held, FILE);

        assertThat(delete(api.token(Role.SUBMITTER, held.name()), "/v1/blobs/" + DIGEST)
                        .statusCode())
                .isEqualTo(409);
    }

    @Test
    void nothingIsDeletedThatCannotBePutOnRecord() {
        RunId run = ended();
        api.acts.isAway = true;

        assertThat(delete(submitter, "/v1/runs/" + run + "/output").statusCode())
                .isEqualTo(503);
        assertThat(get("/v1/runs/" + run + "/output").body()).isEqualTo("hello");
    }

    @Test
    void aForeignRunIsNoneAndANarrowedTokenHasNoPartInContents() {
        RunId run = ended();
        api.blobs.write(RESEARCH, FILE);
        String stranger = api.token(Role.SUBMITTER, "foreign");
        String narrowed =
                api.token(Role.SUBMITTER, "research", new Scope(Map.of("team", "a"), Optional.empty(), Limits.NONE));

        assertThat(delete(stranger, "/v1/runs/" + run + "/output").body())
                .isEqualTo(delete(stranger, "/v1/runs/" + TestApi.UNKNOWN_RUN + "/output")
                        .body());
        assertThat(delete(stranger, "/v1/blobs/" + DIGEST).statusCode()).isEqualTo(404);
        assertThat(delete(narrowed, "/v1/runs/" + run + "/output").statusCode()).isEqualTo(404);
        assertThat(delete(narrowed, "/v1/blobs/" + DIGEST).statusCode()).isEqualTo(403);
        assertThat(deletions()).isEmpty();
        assertThat(delete(api.token(Role.OPERATOR, "platform"), "/v1/blobs/" + DIGEST + "?tenant=research")
                        .statusCode())
                .isEqualTo(204);
    }

    private List<Act> deletions() {
        return api.acts.all.stream()
                .filter(act -> act instanceof Act.RunDataDeleted || act instanceof Act.BlobDeleted)
                .toList();
    }

    private RunId ended() {
        RunId run = printed();
        end(run);
        return run;
    }

    private void end(RunId run) {
        api.runs.happen(run, new RunEvent.RunSucceeded(ListedActs.AT, "node-1", 1, Usage.NONE.with(Limit.OUTPUT, 5)));
    }

    private RunId printed() {
        HttpResponse<String> answer = api.exchange(api.as(submitter, "/v1/runs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Samples.SMALL_BODY))
                .build());
        RunId run = new RunId(TestApi.json(answer).path("id").asText());
        api.runs.happen(run, new RunEvent.AttemptStarting(ListedActs.AT, "node-1", 1));
        api.runs.happen(run, new RunEvent.AttemptStarted(ListedActs.AT, "node-1", 1, "sandbox-1", Optional.empty()));
        api.runs.print(run, Stream.STDOUT, "hello");
        return run;
    }

    private HttpResponse<String> get(String path) {
        return api.exchange(api.as(submitter, path).build());
    }

    private HttpResponse<String> delete(String token, String path) {
        return api.exchange(api.as(token, path).DELETE().build());
    }
}
