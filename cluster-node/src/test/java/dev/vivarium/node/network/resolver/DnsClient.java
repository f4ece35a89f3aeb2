package dev.vivarium.node.network.resolver;

import io.netty.handler.codec.dns.DnsResponseCode;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A program in a sandbox that asks for names, written by hand, so that the codec is not tested with itself. */
final class DnsClient implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final DatagramSocket socket;
    private int nextId = 100;

    DnsClient(InetAddress from, InetSocketAddress server) throws IOException {
        socket = new DatagramSocket(new InetSocketAddress(from, 0));
        socket.connect(server);
        socket.setSoTimeout(TIMEOUT_MILLIS);
    }

    /** What came back. */
    record Answer(int id, DnsResponseCode code, String name, List<String> addresses, int ttlSeconds, int bytes) {}

    Answer ask(String name) throws IOException {
        return ask(name, 1);
    }

    Answer ask(String name, int type) throws IOException {
        return exchange(question(nextId++, name, type, 1));
    }

    /** Sends, and waits for the answer with the same id. */
    Answer exchange(byte[] message) throws IOException {
        send(message);
        int id = ByteBuffer.wrap(message).getShort(0) & 0xffff;
        while (true) {
            Answer answer = receive();
            if (answer.id() == id) {
                return answer;
            }
        }
    }

    void send(byte[] message) throws IOException {
        socket.send(new DatagramPacket(message, message.length));
    }

    boolean hasAnswer() throws IOException {
        socket.setSoTimeout(1);
        try {
            receive();
            return true;
        } catch (SocketTimeoutException none) {
            return false;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    Answer receive() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[4096], 4096);
        socket.receive(packet);
        return read(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
    }

    static byte[] question(int id, String name, int type, int dnsClass) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeShort(id);
            out.writeShort(0x0100);
            out.writeShort(1);
            out.writeShort(0);
            out.writeShort(0);
            out.writeShort(1);
            String relative = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
            for (String label : relative.split("\\.", -1)) {
                out.writeByte(label.length());
                out.write(label.getBytes(StandardCharsets.ISO_8859_1));
            }
            out.writeByte(0);
            out.writeShort(type);
            out.writeShort(dnsClass);
            // EDNS, as the C library has it
            out.writeByte(0);
            out.writeShort(41);
            out.writeShort(1232);
            out.writeInt(0);
            out.writeShort(0);
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
        return bytes.toByteArray();
    }

    static void sendFramed(Socket socket, byte[] message) throws IOException {
        byte[] framed = ByteBuffer.allocate(2 + message.length)
                .putShort((short) message.length)
                .put(message)
                .array();
        socket.getOutputStream().write(framed);
    }

    static Answer receiveFramed(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        return read(ByteBuffer.wrap(in.readNBytes(in.readUnsignedShort())));
    }

    private static Answer read(ByteBuffer message) {
        int bytes = message.remaining();
        int id = message.getShort() & 0xffff;
        int flags = message.getShort() & 0xffff;
        int questions = message.getShort();
        int answers = message.getShort();
        message.getInt();
        StringBuilder name = new StringBuilder();
        if (questions == 1) {
            for (int length = message.get(); length > 0; length = message.get()) {
                byte[] label = new byte[length];
                message.get(label);
                name.append(new String(label, StandardCharsets.ISO_8859_1)).append('.');
            }
            message.getInt();
        }
        List<String> addresses = new ArrayList<>();
        int ttlSeconds = 0;
        for (int i = 0; i < answers; i++) {
            if (message.getShort() != (short) 0xc00c || message.getInt() != 0x00010001) {
                throw new IllegalStateException("The answer is not an address of the name that was asked for.");
            }
            ttlSeconds = message.getInt();
            message.getShort();
            addresses.add((message.get() & 0xff) + "." + (message.get() & 0xff) + "." + (message.get() & 0xff) + "."
                    + (message.get() & 0xff));
        }
        return new Answer(id, DnsResponseCode.valueOf(flags & 0xf), name.toString(), addresses, ttlSeconds, bytes);
    }

    @Override
    public void close() {
        socket.close();
    }
}
