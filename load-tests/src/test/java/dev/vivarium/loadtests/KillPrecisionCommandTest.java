package dev.vivarium.loadtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class KillPrecisionCommandTest {
    @Test
    void noRunsAreRefusedBeforeAnythingIsStarted() {
        CommandLine line = Bench.commandLine();
        StringWriter err = new StringWriter();
        line.setErr(new PrintWriter(err));

        int code = line.execute("kill-precision", "--runs", "0", "--url", "http://127.0.0.1:1");

        assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--runs, --in-flight and --look are at least 1");
    }
}
