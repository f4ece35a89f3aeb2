package dev.vivarium.trials.agents;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.client.Submission;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.RunView;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The run of one agent: its submission, its status, and the last line of its output. */
public final class AgentRun {
    private final Agent agent;
    private final LastLine lastLine = new LastLine();
    private volatile RunView view;

    private AgentRun(Agent agent, RunView view) {
        this.agent = agent;
        this.view = view;
    }

    /** Submits the agent. */
    public static AgentRun submit(ApiClient client, Agent agent, Stage stage) throws ApiException, IOException {
        return submit(client, agent, stage, List.of());
    }

    /** Submits the agent, with patterns of files to keep when it ends. */
    public static AgentRun submit(ApiClient client, Agent agent, Stage stage, List<String> artifacts)
            throws ApiException, IOException {
        Submission submission = agent.submission(stage);
        artifacts.forEach(submission::artifact);
        return new AgentRun(agent, client.view(client.submit(submission.body(), "trial-" + UUID.randomUUID())));
    }

    public Agent agent() {
        return agent;
    }

    /** Its state at the last poll. */
    public RunView view() {
        return view;
    }

    /** The last line that it printed. */
    public String lastWords() {
        return lastLine.text();
    }

    public boolean isOver() {
        return view.status().isTerminal();
    }

    /** Polls its state. */
    public void look(ApiClient client) throws ApiException, InterruptedIOException {
        if (!isOver()) {
            view = client.view(client.run(view.id().value()));
        }
    }

    /** Follows its output, on a thread that ends with the run or with this process. */
    public void listen(ApiClient client) {
        listen(client, chunk -> {});
    }

    /** Follows its output, and passes each chunk on. */
    public void listen(ApiClient client, OutputFollower.Sink also) {
        OutputFollower follower =
                new OutputFollower(client, view.id().value(), Set.of(Stream.STDOUT, Stream.STDERR), 0, chunk -> {
                    lastLine.accept(chunk.data().toByteArray());
                    also.accept(chunk);
                });
        Thread listener = new Thread(
                () -> {
                    try {
                        follower.read(OutputFollower.Mode.TO_THE_END);
                    } catch (ApiException | OutputFollower.SinkClosed | InterruptedIOException silent) {
                        // The output is only for display; the status is polled separately, and failures show there.
                        lastLine.accept("\n(its output cannot be read)".getBytes(StandardCharsets.UTF_8));
                    }
                },
                "trial-" + agent.name());
        listener.setDaemon(true);
        listener.start();
    }
}
