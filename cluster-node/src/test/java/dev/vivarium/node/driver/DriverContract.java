package dev.vivarium.node.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.ulid.UlidCreator;
import dev.vivarium.node.driver.Capabilities.Processes;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract of every driver, test doubles included. */
public abstract class DriverContract {
    private final AttemptName attempt = new AttemptName(new RunId(newId().value()), 2);
    private final RecordingListener heard = new RecordingListener();

    /** The driver, without any sandbox. */
    protected abstract SandboxDriver driver();

    /** A template that the driver supports. */
    protected abstract SandboxTemplate template();

    @AfterEach
    void destroyAll() {
        list(new Selection.All()).forEach(left -> outcome(driver().destroy(left.id())));
    }

    @Test
    void itOffersTheIsolationOfItsSandboxes() {
        assertThat(driver().capabilities().isolations()).contains(template().isolation());
    }

    @Test
    void aFreshSandboxWaitsAndAnswersItsNode() {
        SandboxHandle made = create(newId());

        made.channel().send(new NodeFrame.Ping(7));

        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
    }

    @Test
    void theInitProcessIsKnownOnlyIfItRunsOnThisMachine() {
        SandboxHandle made = create(newId());

        made.initProcess().ifPresent(process -> {
            assertThat(driver().capabilities().processes()).isEqualTo(Processes.ON_THIS_MACHINE);
            assertThat(process.isAlive()).isTrue();
            outcome(driver().destroy(made.id()));
            assertThat(process.isAlive()).isFalse();
        });
    }

    @Test
    void anIdNamesOneSandbox() {
        SandboxHandle made = create(newId());

        assertThat(failure(driver().create(made.id(), template(), new Purpose.ToWait(), new RecordingListener()))
                        .kind())
                .isEqualTo(Kind.REFUSED);
        assertThat(list(new Selection.All())).hasSize(1);
    }

    @Test
    void anAttemptClaimsOneSandboxAndASandboxServesOneAttempt() {
        SandboxId first = create(newId()).id();
        SandboxId second = newId();
        outcome(driver().create(second, template(), new Purpose.ToWait(), new RecordingListener()));
        outcome(driver().claim(first, attempt, template()));

        assertThat(failure(driver().claim(second, attempt, template())).kind()).isEqualTo(Kind.ATTEMPT_CLAIMED);
        assertThat(failure(driver().claim(first, next(attempt), template())).kind())
                .isEqualTo(Kind.REFUSED);

        outcome(driver().claim(second, next(attempt), template()));
    }

    @Test
    void aSandboxThatSuitsATemplateServesIt() {
        SandboxTemplate waiting = driver().waiting(template()).orElseThrow();
        SandboxId id = newId();
        SandboxHandle made = outcome(driver().create(id, waiting, new Purpose.ToWait(), heard));

        outcome(driver().claim(id, attempt, template()));

        made.channel().send(new NodeFrame.Ping(7));
        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(7);
        assertThat(driver().waiting(waiting)).contains(waiting);
    }

    @Test
    void aSandboxCreatedForAnAttemptIsItsOnlyOne() {
        SandboxId first = newId();
        outcome(driver().create(first, template(), new Purpose.ForAttempt(attempt), heard));

        assertThat(failure(driver().create(
                                        newId(), template(), new Purpose.ForAttempt(attempt), new RecordingListener()))
                        .kind())
                .isEqualTo(Kind.ATTEMPT_CLAIMED);
        assertThat(failure(driver().claim(first, next(attempt), template())).kind())
                .isEqualTo(Kind.REFUSED);
        assertThat(list(new Selection.All())).extracting(ListedSandbox::id).containsExactly(first);
    }

    @Test
    void anAttemptWhoseSandboxIsGoneMayHaveAnother() {
        SandboxId first = newId();
        outcome(driver().create(first, template(), new Purpose.ForAttempt(attempt), heard));
        outcome(driver().destroy(first));

        SandboxId second = newId();
        outcome(driver().create(second, template(), new Purpose.ToWait(), new RecordingListener()));

        outcome(driver().claim(second, attempt, template()));
    }

    @Test
    void anUnknownSandboxCanBeDestroyedButNotUsed() {
        outcome(driver().destroy(newId()));

        assertThat(failure(driver().claim(newId(), attempt, template())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
        assertThat(failure(driver().sample(newId())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
    }

    @Test
    void aSandboxIsGoneWhenDestroyCompletesAndItsChannelCloses() {
        SandboxId id = create(newId()).id();
        CompletionStage<?> once = driver().destroy(id);
        CompletionStage<?> again = driver().destroy(id);

        outcome(once);
        outcome(again);

        assertThat(list(new Selection.All())).isEmpty();
        heard.awaitClosed();
        assertThat(failure(driver().sample(id)).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
    }

    @Test
    void aClosedChannelReportsItsEndOnceAndDropsLaterFrames() {
        SandboxHandle made = create(newId());

        made.channel().close();
        made.channel().close();

        assertThat(heard.awaitClosed().cause()).isEqualTo(Cause.CLOSED_HERE);
        made.channel().send(new NodeFrame.Ping(1));
    }

    @Test
    void hasteningTheEndSparesTheGuest() {
        SandboxHandle made = create(newId());

        outcome(driver().hastenEnd(made.id(), Haste.UNTHROTTLE));
        outcome(driver().hastenEnd(made.id(), Haste.KILL));
        made.channel().send(new NodeFrame.Ping(3));

        assertThat(heard.await(GuestFrame.Pong.class).request()).isEqualTo(3);
    }

    @Test
    void aSandboxIsListedWithItsOwner() {
        SandboxId id = create(newId()).id();

        assertThat(list(new Selection.All())).containsExactly(new ListedSandbox(id, new ListedSandbox.ThisNode()));
    }

    @Test
    void theEarlierAttemptsOfARunAreListedAndNoOthers() {
        SandboxId waiting = create(newId()).id();
        SandboxId earlier = newId();
        outcome(driver().create(earlier, template(), new Purpose.ForAttempt(attempt), new RecordingListener()));

        assertThat(list(new Selection.EarlierThan(next(attempt))))
                .extracting(ListedSandbox::id)
                .containsExactly(earlier)
                .doesNotContain(waiting);
        assertThat(list(new Selection.EarlierThan(attempt))).isEmpty();
        assertThat(list(new Selection.EarlierThan(new AttemptName(new RunId(newId().value()), 9))))
                .isEmpty();
    }

    @Test
    void aWaitingSandboxUsesLittle() {
        SandboxSample sample = outcome(driver().sample(create(newId()).id()));

        assertThat(sample.pids()).isPositive();
        assertThat(sample.outOfMemoryKills()).isZero();
        assertThat(sample.forksRefused()).isZero();
    }

    // ---- vocabulary of the tests

    private SandboxHandle create(SandboxId id) {
        SandboxHandle made = outcome(driver().create(id, template(), new Purpose.ToWait(), heard));
        heard.confirmOn(made.channel());
        return made;
    }

    private List<ListedSandbox> list(Selection selection) {
        return outcome(driver().list(selection));
    }

    private static AttemptName next(AttemptName attempt) {
        return new AttemptName(attempt.run(), attempt.attempt() + 1);
    }

    protected static SandboxId newId() {
        return new SandboxId(UlidCreator.getUlid().toLowerCase());
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static DriverException failure(CompletionStage<?> stage) {
        try {
            outcome(stage);
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof DriverException refusal) {
                return refusal;
            }
            throw failed;
        }
        throw new AssertionError("This should have failed.");
    }
}
