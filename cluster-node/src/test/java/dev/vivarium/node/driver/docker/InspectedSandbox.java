package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import java.util.Optional;

/** A sandbox in which an agent waits for input, with the kernel's view of guest and agent. */
record InspectedSandbox(TestSandboxes.Live live, String container, KernelView guest, KernelView agent) {
    static final SandboxTemplate TEMPLATE = new SandboxTemplate(
            TestSandboxes.IMAGE,
            Isolation.CONTAINER,
            Limits.SMALLEST
                    .with(Limit.CPU, "500m")
                    .with(Limit.MEMORY, "64Mi")
                    .with(Limit.SHARED_MEMORY, "64Mi")
                    .with(Limit.PIDS, 20L)
                    .with(Limit.DISK, "16Mi")
                    .with(Limit.FILES, 2_047L),
            Optional.empty());

    static InspectedSandbox start(TestSandboxes sandboxes) {
        TestSandboxes.Live live = sandboxes.create(TEMPLATE);
        live.start(1, "cat");
        // Once it has answered, its libraries are loaded and their files closed.
        live.channel().send(new NodeFrame.Stdin(1, Blob.ofUtf8("ready")));
        live.heard().await(GuestFrame.Output.class);
        String container = Docker.byLabel(Labels.SANDBOX + "=" + live.id().value());
        KernelView guest = KernelView.ofGuest(container);
        return new InspectedSandbox(live, container, guest, guest.onlyChild());
    }
}
