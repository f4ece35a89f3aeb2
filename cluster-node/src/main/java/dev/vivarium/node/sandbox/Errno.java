package dev.vivarium.node.sandbox;

/** The error numbers of Linux that a guest is likely to report, in words. */
final class Errno {
    static final int ENOENT = 2;
    static final int E2BIG = 7;
    static final int ENOTDIR = 20;

    private Errno() {}

    static String name(int errno) {
        return switch (errno) {
            case 1 -> "operation not permitted";
            case ENOENT -> "no such file or directory";
            case E2BIG -> "argument list too long";
            case 8 -> "not a program";
            case 11 -> "no room for another process";
            case 12 -> "out of memory";
            case 13 -> "permission denied";
            case 17 -> "exists already";
            case ENOTDIR -> "not a directory";
            case 21 -> "is a directory";
            case 26 -> "text file busy";
            case 28 -> "no space left";
            case 30 -> "read-only file system";
            case 36 -> "file name too long";
            case 40 -> "is a symbolic link";
            case 122 -> "disk quota exceeded";
            default -> "error " + errno;
        };
    }
}
