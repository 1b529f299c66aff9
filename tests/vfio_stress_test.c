// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does some serial order explain what many processes see of a PF and its VFs?
 *
 * In each round processes open and close the PF and VFs at once, with right,
 * old and wrong tokens, on both paths; set tokens; remove VFs or restart the PF;
 * are killed during an open.  Afterwards their calls, with times and results,
 * are compared with the rules, see lib/history.h.
 *
 * VFIO_SEED	repeats the choices of a run, which prints its seed
 * VFIO_ROUNDS	number of rounds; default 30, with VFIO_DEEP=1 1000
 * VFIO_PATHS=group  no cdevs
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/bench.h"
#include "lib/history.h"
#include "lib/random.h"

#define PF		VF_MODEL_PF
#define ROUNDS		30
#define DEEP_ROUNDS	1000
#define MAX_USED_VFS	3	/* in a round that removes them */
#define MAX_DELAY_US	400000
#define MAX_HOLD_US	400000

/* The token that is set, two others, and that of the previous round. */
enum { TOKEN_A = 1, TOKEN_B, TOKEN_C, TOKEN_OLD };

enum role {
	OPENER,		/* opens, holds, closes, in one way or another */
	SETTER,		/* opens the PF and sets tokens */
	VICTIM,		/* is killed */
	MOVER,		/* removes devices and adds them again */
};

/* How an opener uses an open device. */
enum trick {
	HOLD,
	OPEN_AGAIN,	/* opens further files through the group */
	DUP,		/* closes the first of two descriptors */
	FORK,		/* parent and child close at different times */
	PASS,		/* over a socket, to a process that receives it */
	PASS_IN_VAIN,	/* to one that leaves it in the socket */
	NR_TRICKS,
};

enum move { MOVE_VF, MOVE_ALL_VFS, MOVE_PF, NR_MOVES };

struct actor {
	int nr;
	enum role role;
	unsigned int device;
	unsigned int tries;		/* of an opener */
	enum open_path path;		/* of its own files */
	enum move move;
	bool kill_opening;		/* a victim, seen asleep in its open */
	unsigned int kill_after;	/* us, for other victims */
	struct random random;
	pid_t pid;
};

/* One round's plan. */
struct round {
	unsigned int nr;
	unsigned int used;		/* a mask of devices */
	bool moves;
	bool crowd;			/* all VFs are used */
	bool shared[VF_MODEL_DEVICES];	/* one group file for all actors */
	enum open_path path[VF_MODEL_DEVICES];
	struct user user[VF_MODEL_DEVICES];
	struct actor actor[HISTORY_ACTORS];
	int nr_actors;
};

static struct history *history;
static struct history_counts counts;
static struct round round;
static uint64_t seed;
static bool group_only;
static int nr_vfs;

/* ------------------------------------------------------------------ choices */

/* The old token of a round is A of the round before. */
static const char *token_text(unsigned int token, char text[TOKEN_TEXT_LEN])
{
	unsigned int nr = token == TOKEN_OLD ? round.nr : round.nr + 1;
	struct random random;
	uint64_t half[2];

	if (token == VF_TOKEN_NONE)
		return NULL;
	if (token == TOKEN_OLD)
		token = TOKEN_A;
	random_init(&random, ~seed, (uint64_t)nr << 8 | token);
	half[0] = random_next(&random);
	half[1] = random_next(&random);
	snprintf(text, TOKEN_TEXT_LEN, "%08x-%04x-%04x-%04x-%012llx",
		 (unsigned int)half[0], (unsigned int)(half[0] >> 48),
		 (unsigned int)(half[0] >> 32) & 0xffff,
		 (unsigned int)(half[1] >> 48),
		 (unsigned long long)half[1] & 0xffffffffffffULL);
	return text;
}

static unsigned int choose_token(struct random *random, unsigned int device)
{
	static const unsigned char for_vf[] = {
		TOKEN_A, TOKEN_A, TOKEN_A, TOKEN_A, TOKEN_B, TOKEN_B,
		TOKEN_C, TOKEN_C, TOKEN_OLD, VF_TOKEN_NONE,
	};
	static const unsigned char for_pf[] = {
		TOKEN_A, TOKEN_B, TOKEN_B, TOKEN_B, TOKEN_C, VF_TOKEN_NONE,
	};

	return device == PF ? for_pf[random_below(random, sizeof(for_pf))] :
			      for_vf[random_below(random, sizeof(for_vf))];
}

static enum open_path choose_path(struct random *random)
{
	unsigned int choice = random_below(random, group_only ? 6 : 10);

	return choice < 4 ? OPEN_TYPE1 : choice < 6 ? OPEN_COMPAT : OPEN_CDEV;
}

static void wait_up_to(struct random *random, unsigned int us)
{
	usleep(random_below(random, us));
}

/* ------------------------------------------------------ calls of an actor */

/* A close of a descriptor by one of the holders of the file. */
static void close_opened(const struct actor *actor, int fd, unsigned int open)
{
	unsigned int nr = history_begin_close(history, actor->nr, open);

	close(fd);
	history_end(history, nr, 0);
}

/* Close the files that were opened for that call; the device is closed. */
static void leave_files(struct user *user, unsigned int open)
{
	user_exit(user);
	history_leave(history, open);
}

/*
 * With the group file that all share, or with its own files if the round
 * requires it or the shared file is of a device that was removed.
 */
static int open_device(struct actor *actor, struct user *user, bool *own,
		       unsigned int token, unsigned int *open)
{
	unsigned int device = actor->device;
	enum open_path path = *own ? actor->path : round.path[device];
	char text[TOKEN_TEXT_LEN];
	const char *given = token_text(token, text);
	int ret = 0;

	*open = history_begin(history, actor->nr, VF_CALL_OPEN, device, token);
	if (*own) {
		history->entry[*open].own_files = true;
		ret = user_init(user, path, history->device[device]);
	}
	history->entry[*open].path = path;
	if (!ret)
		ret = user_open(user, given);
	history_end(history, *open, ret);
	if (ret && *own)
		leave_files(user, *open);
	if (ret == -ENODEV && !*own)
		*own = true;
	return ret;
}

static void open_again(struct actor *actor, const struct user *user)
{
	unsigned int token = choose_token(&actor->random, actor->device);
	char text[TOKEN_TEXT_LEN];
	const char *given = token_text(token, text);
	unsigned int open;
	int fd;

	open = history_begin(history, actor->nr, VF_CALL_OPEN, actor->device,
			     token);
	history->entry[open].path = user->path;
	fd = group_get_device_token(user->group, user->addr, given);
	history_end(history, open, fd < 0 ? fd : 0);
	if (fd < 0)
		return;
	wait_up_to(&actor->random, MAX_HOLD_US / 4);
	close_opened(actor, fd, open);
}

/* A child that also closes the device, at another time. */
static void fork_and_close(struct actor *actor, int fd, unsigned int open)
{
	unsigned int delay = random_below(&actor->random, MAX_HOLD_US);
	pid_t child = fork();

	if (child < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (!child) {
		usleep(delay);
		close_opened(actor, fd, open);
		_exit(0);
	}
	wait_up_to(&actor->random, MAX_HOLD_US);
	close_opened(actor, fd, open);
	waitpid(child, NULL, 0);
}

static void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(socket, &msg, 0) != 1)
		ksft_exit_fail_msg("sendmsg: %s\n", strerror(errno));
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], data;
	struct iovec byte = { .iov_base = &data, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &msg, 0) != 1)
		ksft_exit_fail_msg("recvmsg: %s\n", strerror(errno));
	header = CMSG_FIRSTHDR(&msg);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		ksft_exit_fail_msg("no descriptor in the socket\n");
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/*
 * The receiver runs before the sender has the device.  Its end of the socket
 * holds the file, until it closes that end or the received file.
 */
static pid_t start_receiver(struct actor *actor, bool takes, int socket[2],
			    int number[2])
{
	unsigned int delay = random_below(&actor->random, MAX_HOLD_US);
	unsigned int open;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socket) || pipe(number))
		ksft_exit_fail_msg("socketpair: %s\n", strerror(errno));
	child = fork();
	if (child < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (child) {
		close(socket[1]);
		close(number[0]);
		return child;
	}
	close(socket[0]);
	close(number[1]);
	/* Nothing to read if the sender could not open the device. */
	if (read(number[0], &open, sizeof(open)) == sizeof(open)) {
		usleep(delay);
		close_opened(actor, takes ? receive_fd(socket[1]) : socket[1],
			     open);
	}
	_exit(0);
}

static void open_and_pass(struct actor *actor, struct user *user, bool *own,
			  unsigned int token, bool takes)
{
	int socket[2], number[2];
	unsigned int open;
	bool opened;
	pid_t child;

	child = start_receiver(actor, takes, socket, number);
	opened = !open_device(actor, user, own, token, &open);
	if (opened) {
		send_fd(socket[0], user->device);
		if (write(number[1], &open, sizeof(open)) != sizeof(open))
			ksft_exit_fail_msg("write: %s\n", strerror(errno));
		wait_up_to(&actor->random, MAX_HOLD_US / 2);
		close_opened(actor, user->device, open);
		user->device = -1;
	}
	close(number[1]);
	close(socket[0]);
	waitpid(child, NULL, 0);
	if (opened && *own)
		leave_files(user, open);
}

static void hold_and_close(struct actor *actor, struct user *user,
			   enum trick trick, bool own, unsigned int open)
{
	int fd = user->device;

	switch (trick) {
	case OPEN_AGAIN:
		if (user->path != OPEN_CDEV)
			open_again(actor, user);
		break;
	case DUP:
		fd = dup(user->device);
		wait_up_to(&actor->random, MAX_HOLD_US / 4);
		close_opened(actor, user->device, open);
		break;
	case FORK:
		fork_and_close(actor, fd, open);
		fd = -1;
		break;
	default:
		break;
	}
	if (fd >= 0) {
		wait_up_to(&actor->random, MAX_HOLD_US);
		close_opened(actor, fd, open);
	}
	user->device = -1;
	if (own)
		leave_files(user, open);
}

static void be_opener(struct actor *actor, struct user *user, bool own)
{
	unsigned int tries = actor->tries;
	unsigned int token, open;
	enum trick trick;

	while (tries--) {
		trick = random_below(&actor->random, NR_TRICKS);
		/* Not if there are many calls already. */
		if (trick == OPEN_AGAIN && (tries || round.crowd))
			trick = HOLD;
		token = choose_token(&actor->random, actor->device);
		wait_up_to(&actor->random, MAX_DELAY_US);
		if (trick == PASS || trick == PASS_IN_VAIN)
			open_and_pass(actor, user, &own, token, trick == PASS);
		else if (!open_device(actor, user, &own, token, &open))
			hold_and_close(actor, user, trick, own, open);
	}
}

static void be_setter(struct actor *actor, struct user *user, bool own)
{
	unsigned int times = 1 + random_below(&actor->random, 2);
	char text[TOKEN_TEXT_LEN];
	unsigned int token, open, set;
	int ret;

	token = random_below(&actor->random, 2) ? VF_TOKEN_NONE : TOKEN_A;
	wait_up_to(&actor->random, MAX_DELAY_US / 4);
	if (open_device(actor, user, &own, token, &open))
		return;
	while (times--) {
		wait_up_to(&actor->random, MAX_DELAY_US);
		token = TOKEN_A + random_below(&actor->random, 3);
		token_text(token, text);
		set = history_begin(history, actor->nr, VF_CALL_SET, PF, token);
		ret = device_set_token(user->device, text);
		history_end(history, set, ret);
		if (ret)
			ksft_exit_fail_msg("setting a token: %s\n",
					   strerror(-ret));
	}
	hold_and_close(actor, user, HOLD, own, open);
}

static void be_victim(struct actor *actor, struct user *user, bool own)
{
	unsigned int token = actor->device == PF ? TOKEN_B : TOKEN_A;
	unsigned int open;

	if (!open_device(actor, user, &own, token, &open))
		for (;;)
			pause();
}

/* Each device of the mask makes this step at some time during the call. */
static void begin_moves(struct actor *actor, unsigned int devices,
			enum vf_call_what what, unsigned int *moves, int *nr)
{
	unsigned int device;

	for (device = 0; device < VF_MODEL_DEVICES; device++)
		if (devices & (1U << device))
			moves[(*nr)++] = history_begin(history, actor->nr,
						       what, device, 0);
}

static void end_moves(const unsigned int *moves, int nr, int result,
		      const char *what)
{
	int i;

	for (i = 0; i < nr; i++)
		history_end(history, moves[i], 0);
	if (result)
		ksft_exit_fail_msg("%s: %s\n", what, strerror(-result));
}

static void leave(struct actor *actor, unsigned int devices, const char *addr)
{
	unsigned int moves[2 * VF_MODEL_DEVICES];
	int nr = 0;

	begin_moves(actor, devices, VF_CALL_LEAVE, moves, &nr);
	begin_moves(actor, devices, VF_CALL_GONE, moves, &nr);
	if (addr)
		end_moves(moves, nr, pci_unbind(addr), "unbind");
	else
		end_moves(moves, nr, pci_set_numvfs(history->device[PF], 0),
			  "sriov_numvfs to 0");
}

static void enter(struct actor *actor, unsigned int devices, const char *addr)
{
	unsigned int moves[VF_MODEL_DEVICES];
	int nr = 0;

	begin_moves(actor, devices, VF_CALL_ENTER, moves, &nr);
	if (addr)
		end_moves(moves, nr, pci_bind(addr, VFIO_PCI), "bind");
	else
		end_moves(moves, nr, pci_set_numvfs(history->device[PF],
						    nr_vfs), "sriov_numvfs");
}

static void be_mover(struct actor *actor)
{
	unsigned int vfs = round.used & ~1U;

	wait_up_to(&actor->random, MAX_DELAY_US);
	switch (actor->move) {
	case MOVE_VF:
		vfs = 1U << actor->device;
		leave(actor, vfs, history->device[actor->device]);
		wait_up_to(&actor->random, MAX_DELAY_US / 2);
		enter(actor, vfs, history->device[actor->device]);
		break;
	case MOVE_ALL_VFS:
		leave(actor, vfs, NULL);
		wait_up_to(&actor->random, MAX_DELAY_US / 2);
		enter(actor, vfs, NULL);
		break;
	default:
		leave(actor, vfs | 1, history->device[PF]);
		enter(actor, 1, history->device[PF]);
		wait_up_to(&actor->random, MAX_DELAY_US / 2);
		enter(actor, vfs, NULL);
		break;
	}
}

static void act(struct actor *actor)
{
	bool own = !round.shared[actor->device];
	struct user user = round.user[actor->device];

	switch (actor->role) {
	case OPENER:
		be_opener(actor, &user, own);
		break;
	case SETTER:
		be_setter(actor, &user, own);
		break;
	case VICTIM:
		be_victim(actor, &user, own);
		break;
	case MOVER:
		be_mover(actor);
		break;
	}
}

/* ---------------------------------------------------------- plan of a round */

static unsigned int choose_vf(struct random *random)
{
	int max = round.moves && !round.crowd && nr_vfs > MAX_USED_VFS ? MAX_USED_VFS : nr_vfs;

	return 1 + random_below(random, max);
}

static struct actor *add_actor(struct random *random, enum role role,
			       unsigned int device)
{
	struct actor *actor = &round.actor[round.nr_actors];

	/* Number 0 prepares the round. */
	actor->nr = ++round.nr_actors;
	actor->role = role;
	actor->device = device;
	actor->tries = round.crowd ? 1 : 1 + random_below(random, 2);
	actor->path = choose_path(random);
	random_init(&actor->random, random_next(random), actor->nr);
	round.used |= 1U << device;
	return actor;
}

static void plan_round(unsigned int nr)
{
	struct random random;
	struct actor *actor;
	unsigned int device, i, n;

	random_init(&random, seed, nr);
	memset(&round, 0, sizeof(round));
	round.nr = nr;
	round.moves = random_below(&random, 5) < 2;
	round.crowd = !random_below(&random, 4);

	/* A history has room for a limited number of calls. */
	n = round.crowd ? nr_vfs : 3 + random_below(&random, 2);
	for (i = 0; i < n; i++)
		add_actor(&random, OPENER,
			  round.crowd ? i + 1 : choose_vf(&random));
	n = 1 + (round.crowd ? 0 : random_below(&random, 2));
	for (i = 0; i < n; i++)
		add_actor(&random, OPENER, PF);
	if (random_below(&random, 2))
		add_actor(&random, SETTER, PF);
	if (random_below(&random, 5) < 3 || nr % 3 == 1) {
		device = random_below(&random, 4) ? choose_vf(&random) : PF;
		actor = add_actor(&random, VICTIM, device);
		actor->kill_after = random_below(&random, MAX_DELAY_US);
		actor->kill_opening = nr % 3 == 1;
	}
	if (round.moves) {
		actor = add_actor(&random, MOVER, choose_vf(&random));
		/* If all VFs are moved, there are too many orders to try. */
		actor->move = round.crowd ? MOVE_VF :
			      random_below(&random, NR_MOVES);
	}
	for (device = 0; device <= (unsigned int)nr_vfs; device++) {
		round.path[device] = choose_path(&random);
		round.shared[device] = round.path[device] != OPEN_CDEV &&
				       random_below(&random, 6);
	}
}

/* ------------------------------------------------------------- its execution */

static void open_shared(void)
{
	int device, ret;

	for (device = 0; device <= nr_vfs; device++) {
		struct user *user = &round.user[device];

		*user = (struct user) { .iommu = -1, .group = -1, .device = -1 };
		if (!(round.used & (1U << device)) || !round.shared[device])
			continue;
		history_share(history, device);
		ret = user_init(user, round.path[device],
				history->device[device]);
		if (ret)
			ksft_exit_fail_msg("%s, %s: %s\n",
					   history->device[device],
					   open_path_name(round.path[device]),
					   strerror(-ret));
	}
}

static void close_shared(void)
{
	int device;

	for (device = 0; device <= nr_vfs; device++)
		user_exit(&round.user[device]);
}

/* No VF is in use, so the PF accepts any token. */
static void set_first_token(void)
{
	char text[TOKEN_TEXT_LEN];
	int ret;

	token_text(TOKEN_A, text);
	if (round.shared[PF])
		ret = user_try(&round.user[PF], text);
	else
		ret = try_open(round.path[PF], history->device[PF], text);
	if (ret)
		ksft_exit_fail_msg("round %u: no VF is in use, and the PF refuses a token: %s\n",
				   round.nr, strerror(-ret));
}

static void start_actor(struct actor *actor, const int start[2])
{
	char byte;

	history->actor[actor->nr].gone = ~0ULL;
	actor->pid = fork();
	if (actor->pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (actor->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(start[1]);
	/* All begin at once, when the other end is closed. */
	if (read(start[0], &byte, 1))
		_exit(1);
	act(actor);
	_exit(0);
}

static struct actor *find_victim(void)
{
	int i;

	for (i = 0; i < round.nr_actors; i++)
		if (round.actor[i].role == VICTIM)
			return &round.actor[i];
	return NULL;
}

/* Wait until it sleeps inside its open, or is past it. */
static void wait_until_opening(const struct actor *victim)
{
	const struct history_entry *entry = NULL;
	char path[64], call[256];
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/%d/syscall", victim->pid);
	for (;;) {
		for (i = 0; !entry && i < history->nr; i++)
			if (history->entry[i].actor == victim->nr)
				entry = &history->entry[i];
		if (entry && entry->end_time)
			return;
		if (entry && !file_read(path, call, sizeof(call)) &&
		    call[0] != 'r' && strtol(call, NULL, 10) == SYS_ioctl)
			return;
		sched_yield();
	}
}

static void kill_victim(void)
{
	struct actor *victim = find_victim();

	if (!victim)
		return;
	if (victim->kill_opening)
		wait_until_opening(victim);
	else
		usleep(victim->kill_after);
	history->actor[victim->nr].kill = history_stamp(history);
	kill(victim->pid, SIGKILL);
}

/* False if an actor gave up; it has printed the reason. */
static bool wait_for_actor(void)
{
	int status, i;
	pid_t pid;

	pid = waitpid(-1, &status, 0);
	for (i = 0; i < round.nr_actors; i++) {
		struct actor *actor = &round.actor[i];

		if (actor->pid != pid)
			continue;
		history->actor[actor->nr].gone = history_stamp(history);
		return actor->role == VICTIM || !status;
	}
	return false;
}

static bool run_actors(void)
{
	bool good = true;
	int start[2];
	int i;

	if (pipe(start))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	fflush(stdout);
	for (i = 0; i < round.nr_actors; i++)
		start_actor(&round.actor[i], start);
	close(start[0]);
	close(start[1]);
	kill_victim();
	for (i = 0; i < round.nr_actors; i++)
		good &= wait_for_actor();
	return good;
}

static bool is_as_before(void)
{
	char driver[PCI_DRIVER_LEN];
	int device;

	for (device = 0; device <= nr_vfs; device++)
		if (strcmp(pci_driver(history->device[device], driver),
			   VFIO_PCI)) {
			ksft_print_msg("%s has the driver \"%s\" after the round\n",
				       history->device[device], driver);
			return false;
		}
	return true;
}

static bool run_round(unsigned int nr)
{
	int device;
	bool good;

	plan_round(nr);
	history_clear(history);
	history->actor[0].gone = ~0ULL;
	snprintf(history->device[PF], PCI_ADDR_LEN, "%s", bench.pf);
	for (device = 1; device <= nr_vfs; device++)
		snprintf(history->device[device], PCI_ADDR_LEN, "%s",
			 bench.vf[device - 1]);

	open_shared();
	set_first_token();
	good = run_actors();
	close_shared();
	good &= is_as_before();
	good &= history_check(history, (2U << nr_vfs) - 1, TOKEN_A, &counts);
	return good;
}

/* ------------------------------------------------------------------- report */

static void print_counts(unsigned int rounds, double seconds)
{
	ksft_print_msg("%u rounds in %.0f s: %lu calls, %lu states searched\n",
		       rounds, seconds, counts.calls, counts.states);
	ksft_print_msg("VF opens granted %lu, refused %lu; PF opens granted %lu, refused %lu\n",
		       counts.granted_vf, counts.refused_vf, counts.granted_pf,
		       counts.refused_pf);
	ksft_print_msg("away or busy %lu, killed in mid-open %lu, tokens set %lu, moves %lu\n",
		       counts.unreachable, counts.killed, counts.set,
		       counts.moved);
}

/* Without each of these, the run has tested too little. */
static bool has_met_all(void)
{
	return counts.granted_vf && counts.refused_vf && counts.granted_pf &&
	       counts.refused_pf && counts.killed && counts.set && counts.moved;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int stress(int argc, char **argv)
{
	unsigned long rounds = number_from_environment("VFIO_DEEP", 0) ?
			       DEEP_ROUNDS : ROUNDS;
	const char *paths = getenv("VFIO_PATHS");
	double start = seconds_now();
	unsigned long nr;

	rounds = number_from_environment("VFIO_ROUNDS", rounds);
	seed = random_seed_of_run();
	group_only = paths && !strcmp(paths, "group");
	nr_vfs = bench.nr_vfs;
	history = history_new();
	ksft_print_header();
	ksft_set_plan(2);
	if (!history)
		ksft_exit_fail_msg("no shared memory\n");
	ksft_print_msg("%s with %d VFs, %lu rounds\n", bench.pf, nr_vfs,
		       rounds);

	for (nr = 0; nr < rounds; nr++) {
		if (!run_round(nr)) {
			ksft_print_msg("in round %lu\n", nr);
			break;
		}
		if (nr % 100 == 99)
			print_counts(nr + 1, seconds_now() - start);
	}
	print_counts(nr, seconds_now() - start);
	ksft_test_result(nr == rounds,
			 "some serial order explains each round\n");
	ksft_test_result(rounds < ROUNDS || has_met_all(),
			 "the rounds had all kinds of calls\n");
	ksft_print_cnts();
	return ksft_get_fail_cnt() ? KSFT_FAIL : KSFT_PASS;
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, BENCH_MAX_VFS, stress);
}
