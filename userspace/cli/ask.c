// SPDX-License-Identifier: MIT
/* ask.c - asking for a secret at the terminal, which does not show it */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "port/crypto.h"

/* One line, whole: what is too long would be cut short without a word. */
static int read_line(int fd, char *ret, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			return -ECANCELED;
		if (got < 0)
			return -errno;
		if (!got || c == '\n')
			break;
		if (n + 1 == size)
			return -EFBIG;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return 0;
}

int ask_secret(void *arg, const char *prompt, char *ret, size_t size)
{
	const struct cli *cli = arg;
	struct termios was, quiet;
	int fd, r;

	if (cli->json)
		return -ENOTTY;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &was)) {
		if (fd >= 0)
			close(fd);
		return -ENOTTY;
	}
	progress_end();
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL | ICANON;
	r = tcsetattr(fd, TCSAFLUSH, &quiet) ? -errno : 0;
	if (!r && write(fd, prompt, strlen(prompt)) < 0)
		r = -errno;
	if (!r)
		r = read_line(fd, ret, size);
	tcsetattr(fd, TCSAFLUSH, &was);
	close(fd);
	if (r)
		secret_wipe(ret, size);
	return r;
}
