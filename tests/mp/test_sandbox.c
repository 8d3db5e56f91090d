/* SPDX-License-Identifier: MIT */
/*
 * test_sandbox.c - what worker/sandbox.h promises: children confine themselves
 * as workers do, and then do what a worker does, or what an intruder would.
 *
 *	DIR/root/page		may be read
 *	DIR/secret		may not
 */

#include "broker/shared/layout.h"
#include "broker/shared/last_words.h"
#include "common/bug.h"
#include "common/log.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define EVERYTHING \
	(CONFINED_SECCOMP | CONFINED_LANDLOCK | CONFINED_NO_NEW_PRIVS)

struct scene {
	char dir[32], root[48], page[56], secret[48];
	int root_fd;
};

static struct scene scene;

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "text", 4), 4);
	close(fd);
}

static int
setup(void **state)
{
	strcpy(scene.dir, "/tmp/sandbox-XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	snprintf(scene.root, sizeof(scene.root), "%s/root", scene.dir);
	snprintf(scene.page, sizeof(scene.page), "%s/page", scene.root);
	snprintf(scene.secret, sizeof(scene.secret), "%s/secret", scene.dir);
	assert_int_equal(mkdir(scene.root, 0755), 0);
	make_file(scene.page);
	make_file(scene.secret);
	scene.root_fd = open(scene.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(scene.root_fd, -1);
	return mp_setup(state);
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	close(scene.root_fd);
	unlink(scene.page);
	unlink(scene.secret);
	rmdir(scene.root);
	return rmdir(scene.dir) == 0 ? result : -1;
}

/* In a child: be confined as a worker is, with all that this kernel has. */
static void
confine(void)
{
	uint32_t confined;

	tzset(); /* as a worker does: the log's clock wants it */
	MP_CHECK(sandbox_enter(scene.root_fd, false, &confined));
	MP_CHECK((confined & CONFINED_SECCOMP) != 0);
	MP_CHECK((confined & CONFINED_NO_NEW_PRIVS) != 0);
}

/* Whether a file can be opened so; if not, errno says why. */
static bool
can_open_at(int directory, const char *name, int flags)
{
	int fd = openat(directory, name, flags, 0);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* The same where openat2(2) is refused: files are walked to. */
static int
walk_confined(void *arg)
{
	const int steps[] = { O_PATH | O_DIRECTORY | O_NOFOLLOW,
		O_RDONLY | O_NOFOLLOW };
	const int refused[] = { O_RDONLY, O_PATH | O_DIRECTORY,
		O_WRONLY | O_NOFOLLOW, O_RDWR | O_NOFOLLOW,
		O_RDONLY | O_CREAT | O_NOFOLLOW,
		O_RDONLY | O_TRUNC | O_NOFOLLOW };
	uint32_t confined;

	(void)arg;
	MP_CHECK(sandbox_enter(scene.root_fd, true, &confined));
	MP_CHECK(can_open_at(scene.root_fd, ".", steps[0]));
	MP_CHECK(can_open_at(scene.root_fd, "page", steps[1]));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		MP_CHECK(!can_open_at(scene.root_fd, ".", refused[i]));
		MP_CHECK(errno == ENOSYS);
	}
	return 0;
}

static void
test_a_walk_opens_to_read_and_follows_no_link(void **state)
{
	(void)state;
	mp_join(mp_spawn(walk_confined, NULL));
}

static bool
has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		   LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static int
openat2_under(int directory, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) != 0 ? 0600 : 0 };

	return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

/* A system call, as bare as an intruder would make it. */
struct attempt {
	const char *name;
	long number;
	long args[6];
};

static long
make(const struct attempt *a)
{
	return syscall(a->number, a->args[0], a->args[1], a->args[2],
	    a->args[3], a->args[4], a->args[5]);
}

static int
try_confined(void *arg)
{
	confine();
	make(arg);
	return 0;
}

static void
test_what_only_an_intruder_does_kills(void **state)
{
	char *none[] = { NULL };
	long page = (long)scene.page, here = AT_FDCWD;
	void *memory = mp_share(4096);
	struct attempt attempts[] = {
		{ "execve", SYS_execve, { (long)"/bin/true", (long)none } },
		{ "execveat", SYS_execveat,
		    { here, (long)"/bin/true", (long)none, (long)none, 0 } },
		{ "openat", SYS_openat, { here, page, O_RDONLY } },
		{ "clone", SYS_clone, { SIGCHLD } },
		{ "clone3", SYS_clone3, { 0 } },
		{ "ptrace", SYS_ptrace, { PTRACE_TRACEME } },
		{ "process_vm_readv", SYS_process_vm_readv, { getpid() } },
		{ "process_vm_writev", SYS_process_vm_writev, { getpid() } },
		{ "open_by_handle_at", SYS_open_by_handle_at, { here } },
		{ "socket", SYS_socket, { AF_INET, SOCK_STREAM } },
		{ "connect", SYS_connect, { 0 } },
		{ "bind", SYS_bind, { 0 } },
		{ "mmap of code", SYS_mmap,
		    { 0, 4096, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
		{ "mprotect to code", SYS_mprotect,
		    { (long)memory, 4096, PROT_READ | PROT_EXEC } },
#ifdef SYS_open /* an architecture that still has those */
		{ "open", SYS_open, { page, O_RDONLY } },
		{ "creat", SYS_creat, { page, 0600 } },
		{ "fork", SYS_fork, { 0 } },
#endif
	};

	(void)state;
	for (size_t i = 0; i < COUNT(attempts); i++) {
		print_message("# %s\n", attempts[i].name);
		mp_join_killed(mp_spawn(try_confined, &attempts[i]), SIGSYS);
	}
	mp_unshare(memory, 4096);
}

static int
try_unknown(void *arg)
{
	const struct attempt attempts[] = {
		{ "unlink", SYS_unlinkat, { AT_FDCWD, (long)scene.secret } },
		{ "getdents", SYS_getdents64, { scene.root_fd } },
		{ "prctl", SYS_prctl, { PR_GET_DUMPABLE } },
		{ "setuid", SYS_setuid, { 0 } },
		{ "kill", SYS_kill, { getppid() } },
		{ "tgkill", SYS_tgkill, { *(pid_t *)arg, *(pid_t *)arg } },
		{ "lock", SYS_fcntl, { scene.root_fd, F_SETLK } },
		{ "dup", SYS_dup, { STDERR_FILENO } },
		{ "memfd", SYS_memfd_create, { (long)"code" } },
		{ "seccomp", SYS_seccomp, { 0 } },
		{ "none yet", 100000, { 0 } },
	};

	confine();
	for (size_t i = 0; i < COUNT(attempts); i++)
		if (make(&attempts[i]) != -1 || errno != ENOSYS) {
			dprintf(
			    STDERR_FILENO, "%s is there\n", attempts[i].name);
			return 1;
		}
	return 0;
}

static void
test_what_is_not_listed_is_not_there(void **state)
{
	pid_t self = getpid();

	(void)state;
	mp_join(mp_spawn(try_unknown, &self));
	assert_int_equal(access(scene.secret, F_OK), 0);
}

static int
read_inside(void *arg)
{
	struct stat st;
	char text[8];
	int fd;

	(void)arg;
	confine();
	fd = openat2_under(scene.root_fd, "page", O_RDONLY);
	MP_CHECK(fd != -1);
	MP_CHECK(fstat(fd, &st) == 0 && st.st_size == 4);
	MP_CHECK(pread(fd, text, sizeof(text), 0) == 4);
	MP_CHECK(close(fd) == 0);
	/* A directory is opened to be seen as one; and it is the files that are
	 * confined, not their names. */
	MP_CHECK(openat2_under(scene.root_fd, ".", O_RDONLY) != -1);
	MP_CHECK(openat2_under(AT_FDCWD, scene.page, O_RDONLY) != -1);
	return 0;
}

static void
test_files_under_the_root_can_be_read(void **state)
{
	(void)state;
	mp_join(mp_spawn(read_inside, NULL));
}

static int
reach_outside(void *arg)
{
	const struct {
		int directory;
		const char *path;
		uint64_t flags;
	} doors[] = {
		{ AT_FDCWD, scene.secret, O_RDONLY },
		{ AT_FDCWD, scene.dir, O_RDONLY | O_DIRECTORY },
		{ scene.root_fd, "../secret", O_RDONLY },
		{ AT_FDCWD, "/etc/passwd", O_RDONLY },
		{ AT_FDCWD, "/proc/self/mem", O_RDWR },
		{ scene.root_fd, "page", O_WRONLY },
		{ scene.root_fd, "page", O_RDWR },
		{ scene.root_fd, "new", O_WRONLY | O_CREAT },
	};

	(void)arg;
	confine();
	for (size_t i = 0; i < COUNT(doors); i++) {
		int fd = openat2_under(
		    doors[i].directory, doors[i].path, doors[i].flags);

		if (fd != -1 || errno != EACCES) {
			dprintf(STDERR_FILENO, "%s: %s\n", doors[i].path,
			    fd != -1 ? "open" : strerror(errno));
			return 1;
		}
	}
	return 0;
}

static void
test_all_other_files_are_out_of_reach(void **state)
{
	(void)state;
	if (!has_landlock())
		skip_because("this kernel has no Landlock");
	mp_join(mp_spawn(reach_outside, NULL));
}

static int
work(void *arg)
{
	struct mp_gate *gate = arg;
	uint64_t one = 1;
	char *block, *larger;
	struct flock lock = { .l_type = F_WRLCK };
	int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int page = open(scene.page, O_RDONLY | O_CLOEXEC);

	confine();
	/* from the heap, of its own mapping, moved, and given back */
	for (size_t size = 16; size <= 64u << 20; size *= 4) {
		block = malloc(size);
		MP_CHECK(block != NULL);
		larger = realloc(block, size * 2);
		MP_CHECK(larger != NULL);
		memset(larger, 1, size * 2);
		free(larger);
	}
	MP_CHECK(write(bell, &one, sizeof(one)) == sizeof(one));
	MP_CHECK(read(bell, &one, sizeof(one)) == sizeof(one));
	MP_CHECK(fcntl(page, F_GETLK, &lock) == 0); /* who lives */
	MP_CHECK(raise(SIGSTOP) == 0); /* the stop points of tests */
	log_open("child", gate->fd[1], LOG_INFO);
	log_info("works");
	return log_dropped() == 0 ? 0 : 1;
}

static void
test_a_worker_can_work(void **state)
{
	struct mp_gate gate;
	char line[256];
	ssize_t n;
	pid_t pid;

	(void)state;
	mp_gate_open(&gate);
	pid = mp_spawn(work, &gate);
	mp_wait_stopped(pid);
	mp_continue(pid);
	mp_join(pid);
	n = read(gate.fd[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	assert_non_null(strstr(line, ": works\n"));
	mp_gate_close(&gate);
}

static int
die_of_a_bug(void *arg)
{
	log_open("child", open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERROR);
	last_words_open(arg);
	confine();
	BUG("a bug in the sandbox");
}

static int
die_of_a_fault(void *arg)
{
	last_words_open(arg);
	confine();
	raise(SIGSEGV);
	return 0;
}

static void
test_the_dying_leave_their_words(void **state)
{
	struct layout_worker *worker = mp_share(sizeof(*worker));
	char words[LAYOUT_OBITUARY];

	(void)state;
	mp_join_killed(mp_spawn(die_of_a_bug, worker), SIGABRT);
	assert_non_null(
	    strstr(last_words_take(worker, words), "a bug in the sandbox"));
	mp_join_killed(mp_spawn(die_of_a_fault, worker), SIGSEGV);
	assert_non_null(strstr(last_words_take(worker, words), "SIGSEGV"));
	mp_unshare(worker, sizeof(*worker));
}

/* Let a system call fail in this process from now on. */
static void
forbid(long number, unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = COUNT(code),
		.filter = code,
	};

	MP_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MP_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* A kernel without it: which part of the sandbox is missing then. */
struct lack {
	long number;
	uint32_t part;
};

static int
confine_without(void *arg)
{
	const struct lack *lack = arg;
	uint32_t confined;

	forbid(lack->number, ENOSYS);
	MP_CHECK(sandbox_enter(scene.root_fd, false, &confined));
	MP_CHECK(confined == (EVERYTHING & ~lack->part));
	return 0;
}

static void
test_what_the_kernel_lacks_is_done_without_and_told(void **state)
{
	struct lack landlock = { SYS_landlock_create_ruleset,
		CONFINED_LANDLOCK };
	struct lack seccomp = { SYS_seccomp, CONFINED_SECCOMP };

	(void)state;
	mp_join(mp_spawn(confine_without, &landlock));
	if (!has_landlock())
		skip_because("this kernel has no Landlock");
	mp_join(mp_spawn(confine_without, &seccomp));
}

static int
confine_refused(void *arg)
{
	struct mp_gate *gate = arg;
	uint32_t confined;

	log_open("child", gate->fd[1], LOG_ERROR);
	forbid(SYS_landlock_restrict_self, E2BIG);
	return sandbox_enter(scene.root_fd, false, &confined) ? 1 : 0;
}

static void
test_what_the_kernel_has_and_refuses_is_an_error(void **state)
{
	struct mp_gate gate;
	char line[256];
	ssize_t n;

	(void)state;
	if (!has_landlock())
		skip_because("this kernel has no Landlock");
	mp_gate_open(&gate);
	mp_join(mp_spawn(confine_refused, &gate));
	n = read(gate.fd[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	mp_gate_close(&gate);
	assert_non_null(strstr(line, "Landlock"));
	assert_non_null(strstr(line, strerror(E2BIG)));
	assert_non_null(strstr(line, "--no-sandbox"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_a_walk_opens_to_read_and_follows_no_link),
	TEST(test_what_only_an_intruder_does_kills),
	TEST(test_what_is_not_listed_is_not_there),
	TEST(test_files_under_the_root_can_be_read),
	TEST(test_all_other_files_are_out_of_reach),
	TEST(test_a_worker_can_work),
	TEST(test_the_dying_leave_their_words),
	TEST(test_what_the_kernel_lacks_is_done_without_and_told),
	TEST(test_what_the_kernel_has_and_refuses_is_an_error),
};

SUITE_MAIN(tests);
