# The system calls of a container; sc-seccomp turns this into the filter that sc-clone and
# sc-nsexec install (seccomp(2)).
#
#   allow NAME...                          these are let through
#   allow NAME argN == VALUE               this one, if its argument (0-5, 64 bits) is VALUE
#   allow NAME argN & MASK == VALUE        ... if the bits of MASK are VALUE
#   errno ERROR NAME...                    these fail with ERROR
#   errno ERROR NAME argN == VALUE         ... if the low 32 bits of the argument are VALUE; goes
#                                          before any allow, for arguments that the kernel cuts
#   deny NAME...                           as if not named at all, which is errno EPERM; the
#                                          line is for the reader, who may ask why
#
# A call with a number above all that are named here is newer than this file and fails with
# ENOSYS, so that a C library falls back to the call it knew before. Names that this
# architecture lacks are skipped. x32 and architectures not asked for get ENOSYS.

# --- files and descriptors
allow open openat openat2 creat close close_range dup dup2 dup3 read write readv writev
allow pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek sendfile sendfile64
allow copy_file_range splice tee vmsplice sync syncfs fsync fdatasync sync_file_range
allow sync_file_range2 arm_sync_file_range truncate ftruncate truncate64 ftruncate64 fallocate
allow fadvise64 fadvise64_64 arm_fadvise64_64 readahead flock fcntl fcntl64 ioctl cachestat
allow stat fstat lstat stat64 fstat64 lstat64 fstatat64 newfstatat statx oldfstat oldlstat
allow oldstat statfs fstatfs statfs64 fstatfs64 access faccessat faccessat2 umask
allow chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chown32 fchown32 lchown32
allow link linkat unlink unlinkat symlink symlinkat readlink readlinkat rename renameat renameat2
allow mkdir mkdirat rmdir mknod mknodat getdents getdents64 readdir chdir fchdir getcwd
allow utime utimes utimensat utimensat_time64 futimesat
allow setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
allow removexattr lremovexattr fremovexattr setxattrat getxattrat listxattrat removexattrat
allow inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
allow name_to_handle_at
# CAP_SYS_CHROOT is one of docker's 14, and chroot gives nobody more than it had
allow chroot

# --- waiting for descriptors
allow poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create
allow epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
allow eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64
allow timerfd_gettime timerfd_gettime64 pipe pipe2
allow io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

# --- memory
allow brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock
allow munlockall memfd_create memfd_secret remap_file_pages pkey_alloc pkey_free pkey_mprotect
allow process_madvise process_mrelease membarrier mseal map_shadow_stack
allow set_mempolicy_home_node cacheflush

# --- processes and threads
allow fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid
allow getpgid getpgrp setpgid getsid setsid set_tid_address set_thread_area get_thread_area
allow set_robust_list get_robust_list futex futex_time64 futex_waitv futex_wake futex_wait
allow futex_requeue rseq restart_syscall prctl arch_prctl modify_ldt seccomp set_tls get_tls
allow landlock_create_ruleset landlock_add_rule landlock_restrict_self
allow sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr
allow sched_getparam sched_setparam sched_getscheduler sched_setscheduler
allow sched_get_priority_max sched_get_priority_min sched_rr_get_interval
allow sched_rr_get_interval_time64 getpriority setpriority nice ioprio_get ioprio_set getcpu
allow getrlimit ugetrlimit setrlimit prlimit64 getrusage times
allow pidfd_open pidfd_send_signal pidfd_getfd
# the same owner and no more privileges than the target: ptrace(2) sees to that
allow ptrace process_vm_readv process_vm_writev
# threads and processes, but no namespace: none of CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}.
# (0x80, CLONE_NEWTIME, belongs to the signal number in clone.)
allow clone arg0 & 0x7e020000 == 0
# its flags are in memory, where no filter can look; ENOSYS makes a C library use clone
errno ENOSYS clone3
# a new user namespace makes anybody root over parts of the kernel that few have audited
deny unshare setns

# --- signals
allow kill tkill tgkill pause alarm signal sigaction sigpending sigprocmask sigreturn sigsuspend
allow rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
allow rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack

# --- time, read only
allow time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64
allow clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer timer_create
allow timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
# the clock is the host's
deny settimeofday stime clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64

# --- who
allow getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32
allow getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid
allow setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setgroups
allow setgroups32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset
allow uname oldolduname olduname sysinfo getrandom

# --- sockets
allow socket socketpair bind listen accept accept4 connect shutdown getsockname getpeername
allow getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg
allow recvmmsg_time64
# AF_VSOCK reaches the hypervisor, past every network namespace
errno EAFNOSUPPORT socket arg0 == 40
errno EAFNOSUPPORT socketpair arg0 == 40
# the old 32-bit door to all of these hides the family in memory
errno ENOSYS socketcall

# --- System V and POSIX IPC
allow ipc shmget shmat shmdt shmctl semget semop semctl semtimedop semtimedop_time64 msgget
allow msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive
allow mq_timedreceive_time64 mq_notify mq_getsetattr

# --- personality: Linux, 32-bit uname, UNAME26, both; and asking what it is
allow personality arg0 == 0x0
allow personality arg0 == 0x8
allow personality arg0 == 0x20000
allow personality arg0 == 0x20008
allow personality arg0 == 0xffffffff
# the others: READ_IMPLIES_EXEC, MMAP_PAGE_ZERO, no address randomization help exploits

# --- typing on a terminal that somebody else reads (CVE-2017-5226); cut to 32 bits by the kernel
errno EPERM ioctl arg1 == 0x5412
# TIOCLINUX: the same by pasting on a virtual console
errno EPERM ioctl arg1 == 0x541c

# --- the rest is denied, and why
# what is mounted decides what the container is
deny mount umount umount2 pivot_root fsopen fsconfig fsmount fspick move_mount open_tree
deny mount_setattr open_tree_attr
# code in the kernel
deny create_module init_module finit_module delete_module query_module get_kernel_syms
deny kexec_load kexec_file_load bpf
# the machine
deny reboot swapon swapoff acct quotactl quotactl_fd nfsservctl iopl ioperm vm86 vm86old
deny sethostname setdomainname vhangup uselib sysfs ustat _sysctl bdflush pciconfig_iobase
deny pciconfig_read pciconfig_write
# a file handle opens any inode of the file system, also outside the root (CVE-2014-3519 shocker)
deny open_by_handle_at
# keys are not namespaced
deny keyctl add_key request_key
# other processes and the kernel through measurement, the log, or paused page faults
deny perf_event_open syslog lookup_dcookie kcmp userfaultfd fanotify_init
# other calls by other means, unseen by this filter; one kernel bug after another
deny io_uring_setup io_uring_enter io_uring_register
# where memory lies on the machine
deny mbind get_mempolicy set_mempolicy move_pages migrate_pages
# long gone
deny afs_syscall break ftime getpmsg gtty idle lock mpx multiplexer prof profil putpmsg security
deny sgetmask ssetmask stty tuxcall ulimit vserver
