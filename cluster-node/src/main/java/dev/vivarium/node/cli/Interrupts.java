package dev.vivarium.node.cli;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Tells when the user presses Ctrl-C, or somebody sends SIGTERM, in place of ending the process at once. */
interface Interrupts {
    /** From now on calls the listener for each one, with their count from 1. The newest listener alone is called. */
    void listen(Listener listener);

    /** Whoever wants to know. */
    interface Listener {
        /** Called on a thread of its own. */
        void interrupted(int count);
    }

    /**
     * Those of this process. The JDK has no supported way to see a second Ctrl-C; {@code sun.misc.Signal} is there in
     * every JDK (module jdk.unsupported), and reached by reflection, since the compiler warns of it. Without it a
     * Ctrl-C ends the process as usual.
     */
    static Interrupts ofProcess() {
        return listener -> {
            AtomicInteger count = new AtomicInteger();
            for (String name : List.of("INT", "TERM")) {
                try {
                    Class<?> signal = Class.forName("sun.misc.Signal");
                    Class<?> handler = Class.forName("sun.misc.SignalHandler");
                    Object onSignal = Proxy.newProxyInstance(
                            Interrupts.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                                return switch (method.getName()) {
                                    case "handle" -> {
                                        listener.interrupted(count.incrementAndGet());
                                        yield null;
                                    }
                                    case "hashCode" -> System.identityHashCode(proxy);
                                    case "equals" -> arguments != null && proxy == arguments[0];
                                    default -> "Interrupts";
                                };
                            });
                    signal.getMethod("handle", signal, handler)
                            .invoke(null, signal.getConstructor(String.class).newInstance(name), onSignal);
                } catch (ReflectiveOperationException | IllegalArgumentException unsupported) {
                    return;
                }
            }
        };
    }
}
