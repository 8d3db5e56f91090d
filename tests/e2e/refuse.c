/* SPDX-License-Identifier: MIT */
/*
 * refuse.c - run a program whose kernel, or service manager, does not let it make
 * one system call.
 *
 *	refuse CALL ERRNO PROGRAM [ARGUMENT]...		ERRNO: EPERM or ENOSYS
 */

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err, call;

	if (argc < 4 || filter == NULL)
		return 2;
	err = strcmp(argv[2], "ENOSYS") == 0 ? ENOSYS : EPERM;
	call = seccomp_syscall_resolve_name(argv[1]);
	if (call == __NR_SCMP_ERROR) {
		fprintf(stderr, "refuse: %s: no such call\n", argv[1]);
		return 2;
	}
	/* Root may have a filter and keep its rights, as in a container. */
	if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() != 0) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)err), call, 0) <
		0 ||
	    seccomp_load(filter) < 0) {
		fprintf(stderr, "refuse: no filter\n");
		return 2;
	}
	seccomp_release(filter);
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 2;
}
