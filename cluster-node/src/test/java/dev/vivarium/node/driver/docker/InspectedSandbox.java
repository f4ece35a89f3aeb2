package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.CpuQuota;
import dev.vivarium.protocol.run.Isolation;
import java.util.Optional;

/** A sandbox in which an agent waits for input, and both of its processes as the kernel knows them. */
record InspectedSandbox(TestSandboxes.Live live, String container, KernelView guest, KernelView agent) {
    static final SandboxTemplate TEMPLATE = new SandboxTemplate(
            TestSandboxes.IMAGE,
            Isolation.CONTAINER,
            CpuQuota.parse("500m"),
            ByteSize.ofMebibytes(64),
            20,
            ByteSize.ofMebibytes(16),
            2_047,
            Optional.empty());

    static InspectedSandbox start(TestSandboxes sandboxes) {
        TestSandboxes.Live live = sandboxes.create(TEMPLATE);
        live.start(1, "cat");
        // What it has said back, it has read with its libraries loaded and their files closed.
        live.channel().send(new NodeFrame.Stdin(1, Blob.ofUtf8("ready")));
        live.heard().await(GuestFrame.Output.class);
        String container = Docker.byLabel(Labels.SANDBOX + "=" + live.id().value());
        KernelView guest = KernelView.ofGuest(container);
        return new InspectedSandbox(live, container, guest, guest.onlyChild());
    }
}
