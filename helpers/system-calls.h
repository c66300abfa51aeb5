/* system-calls.h: system calls that the C library may have no function for.
 *
 * glibc has them all since 2.36 (Debian 12); older ones, and musl (Alpine), have some. The numbers
 * are in <sys/syscall.h>, the constants in the headers of the kernel. See syscalls(2). */
#ifndef SC_SYSTEM_CALLS_H
#define SC_SYSTEM_CALLS_H

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(__GLIBC__) || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 36)
/* after <sys/mount.h>: both name the same flags, and the other order does not compile */
#include <linux/mount.h>
#ifndef STATX_TYPE
#include <linux/stat.h>
#define statx(...) ((int)syscall(SYS_statx, __VA_ARGS__))
#endif
#define open_tree(...)   ((int)syscall(SYS_open_tree, __VA_ARGS__))
#define move_mount(...)  ((int)syscall(SYS_move_mount, __VA_ARGS__))
#define fsopen(...)      ((int)syscall(SYS_fsopen, __VA_ARGS__))
#define fsconfig(...)    ((int)syscall(SYS_fsconfig, __VA_ARGS__))
#define fsmount(...)     ((int)syscall(SYS_fsmount, __VA_ARGS__))
#define fspick(...)      ((int)syscall(SYS_fspick, __VA_ARGS__))
#define execveat(...)    ((int)syscall(SYS_execveat, __VA_ARGS__))
#define close_range(...) ((int)syscall(SYS_close_range, __VA_ARGS__))
/* the size of the structure is for the kernel to tell which version of it that is */
#define mount_setattr(...) ((int)syscall(SYS_mount_setattr, __VA_ARGS__))
#endif

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

#endif
