package dev.vivarium.node.sandbox;

/** Linux error numbers that a guest is likely to report, in words. */
final class Errno {
    static final int ENOENT = 2;
    static final int ENXIO = 6;
    static final int E2BIG = 7;
    static final int EAGAIN = 11;
    static final int ENOMEM = 12;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int ENFILE = 23;
    static final int ENOSPC = 28;
    static final int ELOOP = 40;
    static final int EDQUOT = 122;

    private Errno() {}

    static String name(int errno) {
        return switch (errno) {
            case 1 -> "operation not permitted";
            case ENOENT -> "no such file or directory";
            case ENXIO -> "no regular file";
            case E2BIG -> "argument list too long";
            case 8 -> "not a program";
            case EAGAIN -> "no room for another process";
            case ENOMEM -> "out of memory";
            case 13 -> "permission denied";
            case 17 -> "exists already";
            case 18 -> "on another file system";
            case ENOTDIR -> "not a directory";
            case EISDIR -> "is a directory";
            case ENFILE -> "the machine's table of open files is full";
            case 24 -> "too many open files";
            case 26 -> "text file busy";
            case ENOSPC -> "no space left";
            case 30 -> "read-only file system";
            case 36 -> "file name too long";
            case ELOOP -> "is a symbolic link";
            case EDQUOT -> "disk quota exceeded";
            default -> "error " + errno;
        };
    }
}
