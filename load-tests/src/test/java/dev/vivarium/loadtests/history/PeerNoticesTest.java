package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.loadtests.history.PeerNotices.Absence;
import dev.vivarium.loadtests.history.PeerNotices.Kind;
import dev.vivarium.loadtests.history.PeerNotices.Notice;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeerNoticesTest {
    private static final String PEER = "127.0.0.2:27620";

    /** The log of node 1 after node 2 was killed at 02:30:49. */
    private static final List<String> LOG = List.of(
            "Vivarium is ready at http://127.0.0.1:19080 (data in /data)",
            "2026-11-26T02:30:30.572Z WARN  PhiAccrualFailureDetector: heartbeat interval is growing too large for address"
                    + " pekko://vivarium@127.0.0.2:27620: 2111 millis",
            "2026-11-26T02:30:53.737Z WARN  Cluster: Cluster Node [pekko://vivarium@127.0.0.1:27620] - Marking node as"
                    + " UNREACHABLE [Member(pekko://vivarium@127.0.0.2:27620, Up)].",
            "2026-11-26T02:30:59.201Z WARN  SplitBrainResolver: SBR took decision DownUnreachable and is downing"
                    + " [pekko://vivarium@127.0.0.2:27620], [1] unreachable of [3] members, all members in DC"
                    + " [Member(pekko://vivarium@127.0.0.1:27620, Up), Member(pekko://vivarium@127.0.0.2:27620, Up),"
                    + " Member(pekko://vivarium@127.0.0.3:27620, Up)]",
            "2026-11-26T02:30:59.478Z WARN  Guardian: The node at 127.0.0.2:27620 is no member any more: the cluster gave it"
                    + " up.");

    @Test
    void aLogShowsWhenAPeerWasUnreachableDownedAndRemoved() {
        assertThat(PeerNotices.read(LOG).notices())
                .containsExactly(
                        new Notice(at("02:30:53.737"), Kind.MISSED, PEER),
                        new Notice(at("02:30:59.201"), Kind.GIVEN_UP, PEER),
                        new Notice(at("02:30:59.478"), Kind.REMOVED, PEER));
    }

    @Test
    void aCrashedPeerIsUnreachableAndDownedImmediately() {
        String line =
                "2026-11-26T02:30:50.108Z WARN  CrashWatch: The node at 127.0.0.2:27620 has crashed: nothing listens"
                        + " there any more.";

        assertThat(PeerNotices.read(List.of(line)).notices())
                .containsExactly(
                        new Notice(at("02:30:50.108"), Kind.MISSED, PEER),
                        new Notice(at("02:30:50.108"), Kind.GIVEN_UP, PEER));
    }

    @Test
    void onlyNoticesOfThatPeerAfterItsDeathCount() {
        PeerNotices notices = PeerNotices.read(LOG);

        assertThat(notices.first(Kind.MISSED, PEER, at("02:30:49.000"))).contains(at("02:30:53.737"));
        assertThat(notices.first(Kind.MISSED, PEER, at("02:31:00.000"))).isEmpty();
        assertThat(notices.first(Kind.MISSED, "127.0.0.3:27620", at("02:30:49.000")))
                .isEmpty();
    }

    @Test
    void aNoticeOfALivePeerIsAFalseAlarm() {
        PeerNotices notices = PeerNotices.read(LOG);

        assertThat(notices.falseAlarms(List.of(absence(PEER, "02:30:49.000", "02:31:30.000"))))
                .isZero();
        assertThat(notices.falseAlarms(List.of(absence("127.0.0.3:27620", "02:30:49.000", "02:31:30.000"))))
                .isEqualTo(1);
        assertThat(notices.falseAlarms(List.of(absence(PEER, "02:31:00.000", "02:31:30.000"))))
                .isEqualTo(1);
    }

    private static Absence absence(String peer, String from, String to) {
        return new Absence(peer, at(from), at(to));
    }

    private static Instant at(String time) {
        return Instant.parse("2026-11-26T" + time + "Z");
    }
}
