package dev.vivarium.node.network.gateway;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A sandbox that speaks with plain sockets, from its address on loopback. */
record Inside(InetAddress address) {
    private static final int ANSWER_MILLIS_MAX = 20_000;

    Socket connect(InetSocketAddress door) throws IOException {
        Socket socket = new Socket(door.getAddress(), door.getPort(), address, 0);
        socket.setSoTimeout(ANSWER_MILLIS_MAX);
        return socket;
    }

    /** All that is answered to what is sent, until the connection ends. */
    String answer(InetSocketAddress door, String request) throws IOException {
        try (Socket client = connect(door)) {
            Internet.write(client, request);
            return new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
