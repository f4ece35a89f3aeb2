package dev.vivarium.terminal;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Notifications of Ctrl-C and SIGTERM, which then do not end the process. */
public interface Interrupts {
    /** Calls the listener for each one from now on, with their count from 1. Only the newest listener is called. */
    void listen(Listener listener);

    /** Receives interrupts. */
    interface Listener {
        /** Called on a separate thread. */
        void interrupted(int count);
    }

    /**
     * The interrupts of this process. The JDK has no supported way to notice a second Ctrl-C; {@code sun.misc.Signal} exists
     * in every JDK (module jdk.unsupported), and is used by reflection, since the compiler warns about it. Without it a
     * Ctrl-C ends the process as usual.
     */
    public static Interrupts ofProcess() {
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
