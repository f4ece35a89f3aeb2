package dev.vivarium.node.cli.trial;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.client.OutputFollower;
import dev.vivarium.protocol.api.OutputChunkView.Stream;
import dev.vivarium.protocol.api.RunView;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.UUID;

/** One agent on its way: what was submitted, where it stands, and the last that it said. */
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
        var body = agent.submission(stage).body();
        return new AgentRun(agent, client.view(client.submit(body, "trial-" + UUID.randomUUID())));
    }

    public Agent agent() {
        return agent;
    }

    /** Where it stands, as of the last look. */
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

    /** Takes another look. */
    public void look(ApiClient client) throws ApiException, InterruptedIOException {
        if (!isOver()) {
            view = client.view(client.run(view.id().value()));
        }
    }

    /** Listens to what it prints, on a thread that ends with the run or with this process. */
    public void listen(ApiClient client) {
        listen(client, chunk -> {});
    }

    /** Listens likewise, and lets somebody else hear each chunk too. */
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
                        // What it says is for show; where it stands is looked up elsewhere, and failures show there.
                        lastLine.accept("\n(its output cannot be read)".getBytes(StandardCharsets.UTF_8));
                    }
                },
                "trial-" + agent.name());
        listener.setDaemon(true);
        listener.start();
    }
}
