package dev.vivarium.node.driver.guest;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * One byte connection to the engine that one thread reads and another writes at the same time; closing it wakes both.
 *
 * <p>The client library's own attach is not used for sandboxes: on a socket with a response timeout it breaks an idle
 * channel, it passes input on in pieces of 1 KiB, and it keeps two threads and 16 KiB of buffers for each channel
 * (docker-java 3.7.1, ApacheDockerHttpClientImpl and HijackingHttpRequestExecutor).
 */
public interface Wire extends Closeable {
    /** Reads some bytes, at least one; -1 at the end. */
    int read(byte[] buffer, int offset, int length) throws IOException;

    /** Writes all of the bytes. */
    void write(ByteBuffer bytes) throws IOException;

    /** Reads exactly that many bytes. */
    default void readFully(byte[] buffer, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int count = read(buffer, offset + done, length - done);
            if (count < 0) {
                throw new EOFException("the engine's stream ended in the middle of a message");
            }
            done += count;
        }
    }

    static Wire unix(Path path) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
        return new ChannelWire(channel);
    }

    static Wire socket(Socket socket) throws IOException {
        return new SocketWire(socket, socket.getInputStream(), socket.getOutputStream());
    }

    /** A Unix domain socket. Its streams would share one lock, so that a waiting reader stopped the writer. */
    record ChannelWire(SocketChannel channel) implements Wire {
        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return channel.read(ByteBuffer.wrap(buffer, offset, length));
        }

        @Override
        public void write(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** A TCP connection, with or without TLS. */
    record SocketWire(Socket socket, InputStream in, OutputStream out) implements Wire {
        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return in.read(buffer, offset, length);
        }

        @Override
        public void write(ByteBuffer bytes) throws IOException {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            out.write(copy);
            out.flush();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
