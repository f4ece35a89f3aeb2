package dev.vivarium.protocol.guest;

import dev.vivarium.protocol.guest.GuestFrame.Pressure;
import dev.vivarium.protocol.guest.GuestFrame.Stage;
import dev.vivarium.protocol.guest.NodeFrame.Resource;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import dev.vivarium.protocol.guest.NodeFrame.TerminalSize;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Limit;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.arbitraries.StringArbitrary;

/** Arbitrary frames of both sides. */
final class Frames {
    private Frames() {}

    static Arbitrary<NodeFrame> ofNode() {
        return Arbitraries.oneOf(
                wide().map(NodeFrame.Arm::new),
                Combinators.combine(number(), path(), mode(), number(), number(), wide(), blob(0, 3000))
                        .as(NodeFrame.WriteFile::new),
                spawn(),
                Combinators.combine(number(), blob(0, 3000)).as(NodeFrame.Stdin::new),
                number().map(NodeFrame.CloseStdin::new),
                Combinators.combine(
                                number(),
                                Arbitraries.integers().between(1, 64),
                                Arbitraries.of(NodeFrame.SignalScope.class))
                        .as(NodeFrame.Signal::new),
                Combinators.combine(number(), size()).as(NodeFrame.Resize::new),
                Combinators.combine(number(), Arbitraries.of(Stream.class), number())
                        .as(NodeFrame.Credit::new),
                number().map(NodeFrame.KillAll::new),
                number().map(NodeFrame.Ping::new),
                Combinators.combine(number(), path(), mode(), number(), number())
                        .as(NodeFrame.MakeFolder::new),
                Combinators.combine(number(), path(), wide(), number(), number())
                        .as(NodeFrame.ListFolder::new),
                Combinators.combine(
                                number(),
                                path(),
                                wide(),
                                Arbitraries.integers().between(0, GuestCodec.READ_LIMIT_BYTES),
                                number(),
                                number())
                        .as(NodeFrame.ReadFile::new),
                Combinators.combine(
                                number(), path(), Arbitraries.of(NodeFrame.LinkKind.class), text(), number(), number())
                        .as(NodeFrame.MakeLink::new));
    }

    static Arbitrary<GuestFrame> ofGuest() {
        Arbitrary<Integer> small = Arbitraries.integers().between(0, 255);
        Arbitrary<Integer> signal = Arbitraries.integers().between(1, 64);
        Arbitrary<Stream> stream = Arbitraries.of(Stream.class);
        return Arbitraries.oneOf(
                number().map(GuestFrame.Hello::new),
                Combinators.combine(number(), number()).as(GuestFrame.Spawned::new),
                Combinators.combine(number(), Arbitraries.of(Stage.class), number())
                        .as(GuestFrame.SpawnFailed::new),
                Combinators.combine(number(), stream, blob(1, 3000)).as(GuestFrame.Output::new),
                Combinators.combine(number(), stream).as(GuestFrame.OutputClosed::new),
                Combinators.combine(number(), small).as(GuestFrame.Exited::new),
                Combinators.combine(number(), signal).as(GuestFrame.Signaled::new),
                Combinators.combine(number(), number()).as(GuestFrame.StdinCredit::new),
                Combinators.combine(number(), number()).as(GuestFrame.Done::new),
                Arbitraries.just(new GuestFrame.AllGone()),
                Combinators.combine(Arbitraries.of(Limit.ALL), wide(), Arbitraries.of(Pressure.class))
                        .as(GuestFrame.Use::new),
                number().map(GuestFrame.Pong::new),
                Combinators.combine(
                                number(),
                                number(),
                                wide().optional(),
                                entry().list().ofMaxSize(5))
                        .as((request, errno, place, entries) -> new GuestFrame.FolderListed(
                                request, errno, place.map(OptionalLong::of).orElse(OptionalLong.empty()), entries)),
                Combinators.combine(number(), number(), mode(), wide(), blob(0, 3000))
                        .as(GuestFrame.FileRead::new));
    }

    private static Arbitrary<GuestFrame.Entry> entry() {
        Arbitrary<Blob> name = Arbitraries.bytes()
                .filter(one -> one != 0 && one != '/' && one != '.')
                .array(byte[].class)
                .ofMinSize(1)
                .ofMaxSize(255)
                .map(Blob::of);
        return Combinators.combine(Arbitraries.of(GuestFrame.EntryKind.class), name)
                .as(GuestFrame.Entry::new);
    }

    private static Arbitrary<NodeFrame> spawn() {
        Arbitrary<String> name = Arbitraries.strings()
                .excludeChars('=', '\0')
                .withChars("AZ_é漢")
                .ofMinLength(1)
                .ofMaxLength(9);
        return Combinators.combine(
                        Combinators.combine(number(), number(), number(), number())
                                .as((a, b, c, d) -> new int[] {a, b, c, d}),
                        text().list().ofMaxSize(6),
                        Arbitraries.maps(name, text()).ofMaxSize(6),
                        path(),
                        Arbitraries.maps(Arbitraries.of(Resource.class), wide()).ofMaxSize(7),
                        size().optional())
                .as((ids, argv, env, workdir, limits, terminal) ->
                        new NodeFrame.Spawn(ids[0], argv, env, workdir, ids[1], ids[2], limits, terminal, ids[3]));
    }

    private static Arbitrary<Integer> number() {
        return Arbitraries.integers().between(0, Integer.MAX_VALUE);
    }

    private static Arbitrary<Integer> mode() {
        return Arbitraries.integers().between(0, 07777);
    }

    private static Arbitrary<Long> wide() {
        return Arbitraries.longs().between(0, Long.MAX_VALUE);
    }

    private static Arbitrary<TerminalSize> size() {
        Arbitrary<Integer> cells = Arbitraries.integers().between(0, 0xffff);
        return Combinators.combine(cells, cells).as(TerminalSize::new);
    }

    private static StringArbitrary text() {
        return Arbitraries.strings().withCharRange('\u0001', '\ud7ff').ofMaxLength(40);
    }

    private static Arbitrary<String> path() {
        return text().map(text -> "/" + text);
    }

    private static Arbitrary<Blob> blob(int least, int most) {
        return Arbitraries.bytes()
                .array(byte[].class)
                .ofMinSize(least)
                .ofMaxSize(most)
                .map(Blob::of);
    }
}
