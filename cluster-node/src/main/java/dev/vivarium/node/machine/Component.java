package dev.vivarium.node.machine;

import java.util.List;
import java.util.Locale;

/** A program that sandboxes rely on, or the kernel. */
enum Component {
    KERNEL("Linux", ""),
    ENGINE("Docker", "docker.io docker-ce"),
    CONTAINERD("containerd", "containerd containerd.io"),
    RUNC("runc", "runc"),
    CRUN("crun", "crun"),
    RUNSC("gVisor", "runsc");

    private final String title;
    private final String packages;

    /** @param packages their names, separated by spaces */
    Component(String title, String packages) {
        this.title = title;
        this.packages = packages;
    }

    /** Its name for people. */
    String title() {
        return title;
    }

    /** Its name in lists and findings. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The distributions' packages that contain it. */
    List<String> packages() {
        return packages.isEmpty() ? List.of() : List.of(packages.split(" ", -1));
    }
}
