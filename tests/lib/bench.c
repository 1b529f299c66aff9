// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"
#include "bench.h"

#define MAX_PFS	32

struct bench bench;

static char pfs[MAX_PFS][PCI_ADDR_LEN];
static int nr_pfs;

static void add_pf(const char *addr)
{
	if (nr_pfs == MAX_PFS)
		ksft_exit_fail_msg("more than %d PFs\n", MAX_PFS);
	snprintf(pfs[nr_pfs++], PCI_ADDR_LEN, "%.15s", addr);
}

/* Remove the addresses from the arguments; the rest is for the harness. */
static int take_addresses(int argc, char **argv)
{
	int i, left = 1;

	for (i = 1; i < argc; i++) {
		if (pci_exists(argv[i]) || strchr(argv[i], ':'))
			add_pf(argv[i]);
		else
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

static void add_from_environment(void)
{
	char *list = getenv("VFIO_PF");
	char *addr;

	if (!list)
		return;
	list = strdup(list);
	for (addr = strtok(list, " ,"); addr; addr = strtok(NULL, " ,"))
		add_pf(addr);
	free(list);
}

static void check_pf(const char *pf)
{
	char driver[PCI_DRIVER_LEN];

	if (!pci_exists(pf))
		ksft_exit_fail_msg("%s: no such PCI device\n", pf);
	if (!pci_is_pf(pf))
		ksft_exit_fail_msg("%s: no SR-IOV PF\n", pf);
	if (strcmp(pci_driver(pf, driver), VFIO_PCI))
		ksft_exit_fail_msg("%s: bound to '%s', not to %s\n", pf,
				   driver, VFIO_PCI);
	if (pci_read_int(pf, "sriov_numvfs"))
		ksft_exit_fail_msg("%s: has VFs enabled\n", pf);
}

int bench_enable_vfs(int nr_vfs)
{
	int total = pci_read_int(bench.pf, "sriov_totalvfs");
	int i, ret;

	if (nr_vfs > total)
		nr_vfs = total;
	ret = pci_set_numvfs(bench.pf, nr_vfs);
	if (ret)
		return ret;
	bench.nr_vfs = nr_vfs;
	for (i = 0; i < nr_vfs && !ret; i++)
		ret = pci_vf(bench.pf, i, bench.vf[i]);
	return ret;
}

int bench_disable_vfs(void)
{
	bench.nr_vfs = 0;
	if (!pci_read_int(bench.pf, "sriov_numvfs"))
		return 0;
	return pci_set_numvfs(bench.pf, 0);
}

static int run_harness(int argc, char **argv,
		       int (*harness_run)(int argc, char **argv))
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	fflush(stderr);
	child = fork();
	if (!child) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		exit(harness_run(argc, argv));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		ksft_exit_fail_msg("can't run the tests: %s\n",
				   strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

static int run_on(const char *pf, int argc, char **argv, int nr_vfs,
		  int (*harness_run)(int argc, char **argv))
{
	int ret;

	snprintf(bench.pf, sizeof(bench.pf), "%s", pf);
	ret = nr_vfs ? bench_enable_vfs(nr_vfs) : 0;
	if (ret) {
		printf("Bail out! %s: can't enable %d VFs: %s\n", pf, nr_vfs,
		       strerror(-ret));
		ret = KSFT_FAIL;
	} else {
		ret = run_harness(argc, argv, harness_run);
	}
	if (bench_disable_vfs())
		ret = KSFT_FAIL;
	return ret;
}

/* One harness run per PF, each a subtest, its lines indented. */
static int run_subtest(int index, int argc, char **argv, int nr_vfs,
		       int (*harness_run)(int argc, char **argv))
{
	char line[1024];
	FILE *lines;
	int out[2];
	int status;
	pid_t child;

	if (pipe(out))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	fflush(stdout);
	child = fork();
	if (!child) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		exit(run_on(pfs[index], argc, argv, nr_vfs, harness_run));
	}
	close(out[1]);
	printf("# Subtest: %s\n", pfs[index]);
	lines = fdopen(out[0], "r");
	while (lines && fgets(line, sizeof(line), lines)) {
		printf("    %s", line);
		fflush(stdout);
	}
	if (child < 0 || !lines || waitpid(child, &status, 0) != child)
		ksft_exit_fail_msg("can't run the tests: %s\n",
				   strerror(errno));
	fclose(lines);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

static int run_on_all(int argc, char **argv, int nr_vfs,
		      int (*harness_run)(int argc, char **argv))
{
	int i, ret;

	ksft_print_header();
	ksft_set_plan(nr_pfs);
	for (i = 0; i < nr_pfs; i++) {
		ret = run_subtest(i, argc, argv, nr_vfs, harness_run);
		ksft_test_result_code(ret, pfs[i], NULL);
	}
	ksft_print_cnts();
	return ksft_get_fail_cnt() ? KSFT_FAIL : KSFT_PASS;
}

int bench_run(int argc, char **argv, int nr_vfs,
	      int (*harness_run)(int argc, char **argv))
{
	char old[8];
	int i, ret;

	argc = take_addresses(argc, argv);
	if (!nr_pfs)
		add_from_environment();
	if (!nr_pfs)
		ksft_exit_skip("no PF is named, as an argument or in $VFIO_PF\n");
	for (i = 0; i < nr_pfs; i++)
		check_pf(pfs[i]);
	if (file_read(ENABLE_SRIOV, old, sizeof(old)))
		ksft_exit_fail_msg("%s of this kernel can't enable SR-IOV\n",
				   VFIO_PCI);

	/* Restore the settings also after an interrupt. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	file_write(ENABLE_SRIOV, "Y");
	if (nr_pfs == 1)
		ret = run_on(pfs[0], argc, argv, nr_vfs, harness_run);
	else
		ret = run_on_all(argc, argv, nr_vfs, harness_run);
	file_write(ENABLE_SRIOV, old);
	return ret;
}

bool bench_find_plain_device(char addr[PCI_ADDR_LEN])
{
	const char *named = getenv("VFIO_PLAIN");
	char driver[PCI_DRIVER_LEN];

	if (!named)
		return false;
	if (pci_is_pf(named) || pci_is_vf(named) ||
	    strcmp(pci_driver(named, driver), VFIO_PCI))
		ksft_exit_fail_msg("%s: PF, VF, or not bound to %s\n", named,
				   VFIO_PCI);
	snprintf(addr, PCI_ADDR_LEN, "%.15s", named);
	return true;
}
